import { randomUUID } from 'node:crypto'
import { metrics } from '@stepladder/core/express'
import { sessionStore } from '@stepladder/session'
import express from 'express'
import session from 'express-session'
import { sql } from 'kysely'
import client from 'prom-client'
import { openDatabase } from '../database/open-database.ts'
import { airportCode, answerProblems, day, identifier, Problem, reportedEvent } from '../input.ts'

const queries = new client.Counter({ name: 'airline_queries_total', help: 'Queries sent to the database' })
const log = () => queries.inc()
const database = openDatabase({ log })

const app = express()
app.use(metrics({ client }))
app.use(express.json({ limit: '10kb' }))
const secret = process.env.SESSION_SECRET ?? 'airline'
const store = sessionStore({ redis: process.env.REDIS_URL, database })
app.use(session({ secret, resave: false, saveUninitialized: false, store }))

// The departures board: a day's flights from an airport, each with the last thing heard of it.

app.get('/airports/:code/departures', async (request, response) => {
  const code = airportCode(request.params.code)
  const date = day(request.query.date)
  response.json(await departures(code, date))
})

function departures(code: string, date: string) {
  return database
    .selectFrom('flights')
    .innerJoin('airports', 'airports.code', 'flights.destination')
    .where('origin', '=', code)
    .where('departs_at', '>=', date)
    .where('departs_at', '<', `${date}T24`)
    .select(['flights.id', 'departs_at', 'destination', 'name', 'city', 'state'])
    .select((flight) => {
      const events = flight.selectFrom('flight_events').whereRef('flight_id', '=', 'flights.id')
      const last = events.orderBy('reported_at', 'desc').orderBy('flight_events.id').limit(1)
      return [last.select('kind').as('status'), last.select('minutes').as('minutes')]
    })
    .orderBy('departs_at')
    .orderBy('flights.id')
    .execute()
}

// Delay statistics: how late an airport's flights arrive, at what hour, from where, and who does better.

app.get('/airports/:code/delays', async (request, response) => {
  const code = airportCode(request.params.code)
  response.json(await delays(code))
})

async function delays(code: string) {
  const airports = await ranking()
  const airport = airports.find(({ origin }) => origin === code)
  if (!airport) throw new Problem(404, `No flight departs from ${code}`)
  const rank = 1 + airports.filter((other) => other.averageDelay < airport.averageDelay).length
  const here = punctuality().where('origin', '=', code)
  const hour = sql<string>`substr(departs_at, 12, 2)`
  const byHour = await here.select(hour.as('hour')).groupBy(hour).orderBy('hour').execute()
  const routes = here.select('destination').groupBy('destination')
  const worstRoutes = await routes.orderBy('averageDelay', 'desc').orderBy('destination').limit(10).execute()
  return { ...airport, rank, airports: airports.length, byHour, worstRoutes }
}

function ranking() {
  return punctuality().select('origin').groupBy('origin').orderBy('averageDelay').orderBy('origin').execute()
}

function punctuality() {
  const averageDelay = sql<number>`round(avg(delay), 1)`.as('averageDelay')
  const lateFlights = sql<number>`sum(case when delay > 15 then 1 else 0 end)`.as('lateFlights')
  const flights = database.selectFrom('flights').select((the) => the.fn.countAll<number>().as('flights'))
  return flights.select([averageDelay, lateFlights])
}

// The weather at the destination: what that day and hour were like in the years on record.

app.get('/flights/:id/weather', async (request, response) => {
  const flight = await flightBy(identifier(request.params.id))
  response.json(await weather(flight.destination, flight.departs_at.slice(5, 13)))
})

async function weather(code: string, hour: string) {
  const city = database.selectFrom('airports').where('code', '=', code).select('city')
  const records = database.selectFrom('weather_days').where('city', '=', city).selectAll()
  const days = await records
    .where('day', 'like', `%-${hour.slice(0, 5)}`)
    .orderBy('day')
    .execute()
  if (days.length === 0) throw new Problem(404, `No weather is recorded for ${code}`)
  const normals = database.selectFrom('weather_hours').where('city', '=', city).selectAll()
  const normal = await normals.where('hour', '=', hour).executeTakeFirst()
  return { days, normal: normal ?? null }
}

// Flight events: the crew reports, and does not wait for what becomes of it.

app.post('/flights/:id/events', async (request, response) => {
  const flight = await flightBy(identifier(request.params.id))
  const reported_at = new Date().toISOString()
  const event = { ...reportedEvent(request.body), flight_id: flight.id, reported_at }
  await database.insertInto('flight_events').values(event).execute()
  response.status(201).json(event)
})

async function flightBy(id: number) {
  const flight = await database.selectFrom('flights').where('id', '=', id).selectAll().executeTakeFirst()
  if (!flight) throw new Problem(404, `There is no flight ${id}`)
  return flight
}

// The cart: seats that a visitor thinks of booking, kept in the session.

declare module 'express-session' {
  interface SessionData {
    /** Seats by the number of the flight. */
    cart: Record<string, number>
  }
}

app.get('/cart', (request, response) => {
  response.json(request.session.cart ?? {})
})

app.post('/cart', async (request, response) => {
  const flight = await flightBy(identifier(request.body?.flightId))
  request.session.cart ??= {}
  const cart = request.session.cart
  cart[flight.id] = (cart[flight.id] ?? 0) + 1
  response.status(201).json(cart)
})

// Bookings: each belongs to one customer, who alone asks for it.

app.get('/customers/:id/bookings', async (request, response) => {
  const customer = identifier(request.params.id)
  const bookings = database.selectFrom('bookings').where('customer_id', '=', customer).selectAll()
  response.json(await bookings.orderBy('booked_at').orderBy('id').execute())
})

app.post('/customers/:id/bookings', async (request, response) => {
  const customer = identifier(request.params.id)
  const flight = await flightBy(identifier(request.body?.flightId))
  const booked_at = new Date().toISOString()
  const booking = { id: randomUUID(), customer_id: customer, flight_id: flight.id, booked_at }
  await database.insertInto('bookings').values(booking).execute()
  response.status(201).json(booking)
})

// The report to the management: at start, then every hour.

async function writeReport() {
  const all = database.selectFrom('flights').select((the) => the.fn.countAll<number>().as('count'))
  const flights = await all.executeTakeFirstOrThrow()
  const lateFlights = await all.where('delay', '>', 15).executeTakeFirstOrThrow()
  const [id, written_at] = [randomUUID(), new Date().toISOString()]
  const report = { id, written_at, flights: flights.count, late_flights: lateFlights.count }
  await database.insertInto('reports').values(report).execute()
}

const report = () => writeReport().catch((error) => console.error('The report failed:', error))
if ((process.env.NODE_APP_INSTANCE ?? '0') === '0') {
  report()
  setInterval(report, 3_600_000)
}

app.use(answerProblems)
const port = Number(process.env.PORT ?? 3000)
const server = app.listen(port, '127.0.0.1', (error) => {
  if (error) throw error
  console.log('The airline listens:', server.address())
})
