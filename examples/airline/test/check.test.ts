import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../database/open-database.ts'
import { type App, type Environment, startApp } from '../demo/app.ts'
import { type CheckResult, check } from '../demo/check.ts'
import { type Ground, prepareGround } from '../demo/ground.ts'
import { Ledger } from '../demo/ledger.ts'
import { mostUnderWay, offerLoad } from '../demo/load.ts'
import { rungs } from '../demo/rung.ts'
import { Traffic } from '../demo/traffic.ts'
import { readWorld, type World } from '../demo/world.ts'

/** Each test does to the airline what a broken rung would do, and expects to be told. */
describe('the check', () => {
  const rung = rungs[0]!
  const ledger = new Ledger(1_000)
  let ground: Ground
  let world: World
  let env: Environment
  let app: App

  beforeAll(async () => {
    ground = await prepareGround({ real: false, full: false, onProgress: () => {} })
    env = await ground.freshFor('check')
    await using database = openDatabase({ env })
    world = await readWorld(database)
    app = await startApp(rung, env)
    const traffic = new Traffic(world, ledger, 3)
    await offerLoad({
      origin: app.origin,
      traffic,
      rate: 60,
      underWay: mostUnderWay,
      warmMs: 0,
      measuredMs: 2_000,
    })
  })
  afterAll(async () => {
    await app.stop()
    await ground[Symbol.asyncDispose]()
  })

  // Each check starts a monolith to compare with, which writes a report of its own.
  beforeEach(async () => {
    await using database = openDatabase({ env })
    const first = database.selectFrom('reports').select('id').orderBy('written_at').limit(1)
    await database.deleteFrom('reports').where('id', 'not in', first).execute()
  })

  const look = () => check({ rung, app, env, ledger, world, drainMs: 300 })

  test('finds nothing wrong with a monolith that was left alone', async () => {
    const { findings, carts } = await look()
    expect(findings.filter(({ isGood }) => !isGood)).toEqual([])
    expect(ledger.acceptedEvents.size).toBeGreaterThan(3)
    expect(carts.of).toBeGreaterThan(3)
  })

  test('finds an event that was accepted and is not stored', async () => {
    const lost = randomUUID()
    ledger.acceptedEvents.add(lost)
    const result = await look()
    ledger.acceptedEvents.delete(lost)
    expect(broken(result)).toEqual(['events'])
  })

  test('finds an event that is stored twice', async () => {
    await using database = openDatabase({ env })
    const [id] = ledger.acceptedEvents
    const twice = database.selectFrom('flight_events').where('id', '=', id!).selectAll()
    await database
      .insertInto('flight_events')
      .values(await twice.executeTakeFirstOrThrow())
      .execute()
    const result = await look()
    await database.deleteFrom('flight_events').where('id', '=', id!).execute()
    ledger.acceptedEvents.delete(id!)
    expect(broken(result)).toEqual(['events'])
    expect(result.findings[0]?.detail).toContain('1 stored twice')
  })

  test('finds a booking that landed in two databases', async () => {
    await using shard = openDatabase({ name: 'bookings_east', env })
    const [[id, customer_id]] = [...ledger.confirmedBookings] as [[string, number]]
    await shard.insertInto('bookings').values({ id, customer_id, flight_id: 1, booked_at: '' }).execute()
    const result = await look()
    await shard.deleteFrom('bookings').execute()
    expect(broken(result)).toEqual(['bookings'])
  })

  test('finds a cart that lost what was put in it', async () => {
    const shopper = ledger.customers.find(({ told }) => told.size > 0)!
    shopper.told.add(4_711)
    const result = await look()
    shopper.told.delete(4_711)
    expect(broken(result)).toEqual(['carts'])
  })

  test('finds a report that was written twice', async () => {
    await using database = openDatabase({ env })
    const second = { id: randomUUID(), written_at: '', flights: 0, late_flights: 0 }
    await database.insertInto('reports').values(second).execute()
    expect(broken(await look())).toEqual(['report'])
  })

  test('finds answers that are not those of the monolith', async () => {
    await using database = openDatabase({ env: await ground.freshFor('other') })
    await database.updateTable('flights').set({ delay: 99 }).execute()
    await using stale = await startApp(rung, await otherEnvironment())
    const { findings } = await check({ rung, app: stale, env, ledger: new Ledger(1), world })
    expect(findings.find(({ what }) => what === 'answers')).toMatchObject({ isGood: false })
  })

  async function otherEnvironment(): Promise<Environment> {
    return { ...env, AIRLINE_DATA: env.AIRLINE_DATA!.replace(/check$/, 'other') }
  }
})

function broken({ findings }: CheckResult): string[] {
  return findings.filter(({ isGood }) => !isGood).map(({ what }) => what)
}
