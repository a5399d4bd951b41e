import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readAirports, readFlights, readFlightsInFull, readWeatherHours } from '../database/flight-records.ts'
import { openDatabase } from '../database/open-database.ts'
import type { Flights } from '../database/tables.ts'
import { type Ground, prepareGround } from '../demo/ground.ts'

describe('the records', () => {
  const airports = new Set(readAirports().map(({ code }) => code))

  test('20,000 flights between airports that are known, each with a time', () => {
    const flights = readFlights()
    expect(flights).toHaveLength(20_000)
    expect(flights.filter((flight) => !isSound(flight, airports))).toEqual([])
    expect(flights[0]).toEqual({
      id: 1,
      origin: 'DTW',
      destination: 'LAS',
      departs_at: '2001-01-01T00:47',
      delay: 66,
      distance: 1750,
    })
  })

  test('200,000 flights from the file of three million, as sound as the 20,000', async () => {
    const flights = await readFlightsInFull()
    expect(flights).toHaveLength(200_000)
    expect(flights.filter((flight) => !isSound(flight, airports))).toEqual([])
    expect(flights[0]!.departs_at).toBe('2001-01-01T00:01')
    expect(flights.at(-1)!.departs_at).toBe('2001-06-30T23:58')
  })

  test('the two files tell of the same flights', async () => {
    const fromSeattle = (flight: Flights) => flight.origin === 'SEA'
    const all = await readFlightsInFull(3_000_000)
    const known = new Set(all.filter(fromSeattle).map(inWords))
    const wanted = readFlights().filter(fromSeattle)
    const found = wanted.filter((flight) => known.has(inWords(flight)))
    expect(wanted.length).toBeGreaterThan(300)
    // The package drew both from the same source, but a few flights of one are not in the other.
    expect(found.length / wanted.length).toBeGreaterThan(0.99)
  })

  test('a comma in quotes belongs to the name', () => {
    expect(readAirports()).toContainEqual({
      code: 'BTR',
      name: 'Baton Rouge Metropolitan, Ryan',
      city: 'Baton Rouge',
      state: 'LA',
    })
  })

  test('an hour of the year has one normal', () => {
    const hours = readWeatherHours().map(({ hour }) => hour)
    expect(new Set(hours).size).toBe(hours.length)
  })
})

describe('a copy for one rung', () => {
  let ground: Ground
  beforeAll(async () => {
    ground = await prepareGround({ real: false, full: false, onProgress: () => {} })
  })
  afterAll(async () => ground[Symbol.asyncDispose]())

  test('holds all flights, and nothing that another rung wrote', async () => {
    await using first = openDatabase({ env: await ground.freshFor('first') })
    await first
      .insertInto('reports')
      .values({ id: 'a', written_at: 'now', flights: 1, late_flights: 0 })
      .execute()
    await using second = openDatabase({ env: await ground.freshFor('second') })
    const count = second.selectFrom('flights').select((the) => the.fn.countAll<number>().as('flights'))
    expect(await count.executeTakeFirst()).toEqual({ flights: 20_000 })
    expect(await second.selectFrom('reports').selectAll().execute()).toEqual([])
  })
})

function isSound(
  { origin, destination, departs_at, delay, distance }: Flights,
  airports: ReadonlySet<string>,
): boolean {
  return (
    airports.has(origin) &&
    airports.has(destination) &&
    /^2001-\d\d-\d\dT\d\d:\d\d$/.test(departs_at) &&
    Number.isInteger(delay) &&
    distance >= 0
  )
}

function inWords({ origin, destination, departs_at, delay, distance }: Flights): string {
  return [origin, destination, departs_at, delay, distance].join()
}
