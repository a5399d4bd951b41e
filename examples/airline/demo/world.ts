import type { Kysely } from 'kysely'
import type { Tables } from '../database/tables.ts'

/** What the visitors of the airline may ask for; read from the database, so that the load fits its data. */
export interface World {
  /** Airports with flights, the busiest first. */
  readonly airports: readonly string[]
  /** The last days in the records, today first: what visitors look at, the nearest most. */
  readonly days: readonly string[]
  /** Flights of those days, by the airport that they leave. */
  readonly flightsFrom: ReadonlyMap<string, readonly number[]>
  /** Flights of those days to a city whose weather is on record. */
  readonly flightsWithWeather: readonly number[]
}

export async function readWorld(database: Kysely<Tables>): Promise<World> {
  const busiest = await database
    .selectFrom('flights')
    .groupBy('origin')
    .orderBy((the) => the.fn.countAll(), 'desc')
    .orderBy('origin')
    .select('origin')
    .execute()
  const { last } = await database
    .selectFrom('flights')
    .select((the) => the.fn.max('departs_at').as('last'))
    .executeTakeFirstOrThrow()
  const days = Array.from({ length: 3 }, (_, index) => dayBefore(last, index))
  const flights = await database
    .selectFrom('flights')
    .innerJoin('airports', 'airports.code', 'destination')
    .where('departs_at', '>=', days.at(-1)!)
    .select(['id', 'origin', 'city'])
    .orderBy('id')
    .execute()
  const recorded = await database.selectFrom('weather_days').select('city').distinct().execute()
  const byOrigin = Map.groupBy(flights, ({ origin }) => origin)
  const cities = new Set(recorded.map(({ city }) => city))
  return {
    airports: busiest.map(({ origin }) => origin),
    days,
    flightsFrom: new Map(Array.from(byOrigin, ([origin, of]) => [origin, of.map(({ id }) => id)])),
    flightsWithWeather: flights.filter(({ city }) => cities.has(city)).map(({ id }) => id),
  }
}

function dayBefore(moment: string, days: number): string {
  const then = new Date(`${moment.slice(0, 10)}T00:00Z`)
  then.setUTCDate(then.getUTCDate() - days)
  return then.toISOString().slice(0, 10)
}
