import type { Kysely } from 'kysely'
import {
  readAirports,
  readFlights,
  readFlightsInFull,
  readWeatherDays,
  readWeatherHours,
} from './flight-records.ts'
import { bookingShards, openDatabase } from './open-database.ts'
import { createBookings, createSchema } from './schema.ts'
import type { Tables } from './tables.ts'

export interface ImportOptions {
  /** 200,000 flights instead of 20,000. */
  readonly full?: boolean | undefined
  /** Hears how far the import is: from 0 to 1. */
  readonly onProgress?: ((share: number) => void) | undefined
}

/** Fills an empty database with the real records: airports, flights, weather. Returns how many flights. */
export async function importFlights(
  database: Kysely<Tables>,
  { full = false, onProgress = () => {} }: ImportOptions = {},
): Promise<number> {
  await createSchema(database)
  const flights = full ? await readFlightsInFull() : readFlights()
  const loads = [
    { table: 'airports', rows: readAirports() },
    { table: 'flights', rows: flights },
    { table: 'weather_days', rows: readWeatherDays() },
    { table: 'weather_hours', rows: readWeatherHours() },
  ] as const
  const total = loads.reduce((sum, { rows }) => sum + rows.length, 0)
  let done = 0
  await database.transaction().execute(async (transaction) => {
    for (const { table, rows } of loads) {
      for (let at = 0; at < rows.length; at += rowsPerInsert) {
        const batch = rows.slice(at, at + rowsPerInsert)
        await transaction.insertInto(table).values(batch).execute()
        done += batch.length
        onProgress(done / total)
      }
    }
  })
  return flights.length
}

/** Well below what one statement may carry: 32,766 values on SQLite, 65,535 on Postgres. */
const rowsPerInsert = 2_000

if (import.meta.main) {
  await using database = openDatabase()
  const flights = await importFlights(database, { full: process.argv.includes('--full') })
  for (const name of bookingShards) {
    await using shard = openDatabase({ name })
    await createBookings(shard)
  }
  console.log(`${flights} flights imported`)
}
