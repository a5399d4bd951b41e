import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'

/** Creates every table of the airline, and the indexes that its queries lean on, in an empty database. */
export async function createSchema(database: Kysely<Tables>): Promise<void> {
  await createRecords(database)
  await createFlightEvents(database)
  await createBookings(database)
  await database.schema
    .createTable('reports')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('written_at', 'text', (column) => column.notNull())
    .addColumn('flights', 'integer', (column) => column.notNull())
    .addColumn('late_flights', 'integer', (column) => column.notNull())
    .execute()
}

/** The one table that rung 5 spreads over several databases. */
export async function createBookings(database: Kysely<Tables>): Promise<void> {
  await database.schema
    .createTable('bookings')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('customer_id', 'integer', (column) => column.notNull())
    .addColumn('flight_id', 'integer', (column) => column.notNull())
    .addColumn('booked_at', 'text', (column) => column.notNull())
    .execute()
  await database.schema
    .createIndex('bookings_by_customer')
    .on('bookings')
    .columns(['customer_id', 'booked_at'])
    .execute()
}

async function createRecords(database: Kysely<Tables>): Promise<void> {
  await database.schema
    .createTable('airports')
    .addColumn('code', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('city', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .execute()
  await database.schema
    .createTable('flights')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('origin', 'text', (column) => column.notNull())
    .addColumn('destination', 'text', (column) => column.notNull())
    .addColumn('departs_at', 'text', (column) => column.notNull())
    .addColumn('delay', 'integer', (column) => column.notNull())
    .addColumn('distance', 'integer', (column) => column.notNull())
    .execute()
  await database.schema
    .createIndex('flights_by_origin')
    .on('flights')
    .columns(['origin', 'departs_at'])
    .execute()
  await createWeather(database)
}

async function createWeather(database: Kysely<Tables>): Promise<void> {
  await database.schema
    .createTable('weather_days')
    .addColumn('city', 'text', (column) => column.notNull())
    .addColumn('day', 'text', (column) => column.notNull())
    .addColumn('weather', 'text', (column) => column.notNull())
    .addColumn('precipitation', 'real', (column) => column.notNull())
    .addColumn('temp_max', 'real', (column) => column.notNull())
    .addColumn('temp_min', 'real', (column) => column.notNull())
    .addColumn('wind', 'real', (column) => column.notNull())
    .addPrimaryKeyConstraint('weather_days_key', ['city', 'day'])
    .execute()
  await database.schema
    .createTable('weather_hours')
    .addColumn('city', 'text', (column) => column.notNull())
    .addColumn('hour', 'text', (column) => column.notNull())
    .addColumn('temperature', 'real', (column) => column.notNull())
    .addColumn('wind', 'real', (column) => column.notNull())
    .addColumn('pressure', 'real', (column) => column.notNull())
    .addPrimaryKeyConstraint('weather_hours_key', ['city', 'hour'])
    .execute()
}

async function createFlightEvents(database: Kysely<Tables>): Promise<void> {
  await database.schema
    .createTable('flight_events')
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('flight_id', 'integer', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('minutes', 'integer', (column) => column.notNull())
    .addColumn('reported_at', 'text', (column) => column.notNull())
    .execute()
  await database.schema
    .createIndex('flight_events_by_flight')
    .on('flight_events')
    .columns(['flight_id', 'reported_at'])
    .execute()
}
