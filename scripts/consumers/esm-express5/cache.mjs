import { createCache } from '@stepladder/cache'
import express from 'express'
import session from 'express-session'
import { openDatabase } from './database.mjs'

const db = openDatabase('airline.db')
const airports = createCache({ name: 'airports', ttl: '1m' })
const app = express()
app.use(express.json())
app.use(
  session({
    secret: 'consumer',
    resave: false,
    saveUninitialized: false,
  }),
)

app.get('/process', (_req, res) => {
  res.json({ pid: process.pid, ...db.counts })
})

function findAirport(code) {
  return db.selectFrom('airports').selectAll().where('code', '=', code).executeTakeFirst()
}

app.get('/airports/:code', async (req, res) => {
  res.json(await airports.getOrSet(req.params.code, () => findAirport(req.params.code)))
})

app.get('/cart', (req, res) => {
  res.json(req.session.cart ?? [])
})

app.post('/cart', (req, res) => {
  req.session.cart = [...(req.session.cart ?? []), req.body.flight]
  res.json(req.session.cart)
})

app.post('/events', async (req, res) => {
  await db.insertInto('events').values(req.body).execute()
  res.status(202).end()
})

app.use('/customers/:customer', (req, _res, next) => {
  req.db = db
  next()
})

app.get('/customers/:customer/bookings', async (req, res) => {
  const { customer } = req.params
  res.json(await req.db.selectFrom('bookings').select('flight').where('customer', '=', customer).execute())
})

app.post('/customers/:customer/bookings', async (req, res) => {
  const { customer } = req.params
  await req.db.insertInto('bookings').values({ customer, flight: req.body.flight }).execute()
  res.status(201).end()
})

app.listen(process.env.PORT)
