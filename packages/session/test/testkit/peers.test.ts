import { keyPrefix, sharedPostgres, startRedis } from '@stepladder/core/testing'
import connectPgSimple from 'connect-pg-simple'
import { RedisStore } from 'connect-redis'
import { RedisStore as RedisStore8 } from 'connect-redis-8'
import session from 'express-session'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { createClient } from 'redis'
import { expect, test } from 'vitest'
import { brokenPromises } from './broken-promises.ts'

/** What no store of express-session has kept so far. */
const lost = [
  '50 requests at once that each set another field keep them all',
  '50 requests at once that each set another field of one object keep them all',
  'a request that saves takes along nothing that it has not changed',
  'a field that one request removes stays removed when another saves',
]
const revived = [
  'a save that comes after destroy does not bring the session back',
  'of 20 sessions that log out while others save, none comes back',
  'of 20 sessions that get a new id while others save, the old one stays dead',
]
const unanswered = [
  'a request that puts a BigInt into its session is answered, and the app hears why',
  'a request that puts a cycle into its session is answered, and the app hears why',
]
const wholeSeconds = 'a session ends with its cookie, to a fraction of a second'
const staleCookie = 'touch stores when the cookie ends now'
const frozen = [
  'while the place is frozen, a request with a session is answered within 250 ms, and not as if all were well',
  'while the place is frozen, a login is answered within 250 ms, and the app hears that it was not saved',
]
const onRedis = [...lost, ...revived, ...unanswered, wholeSeconds, staleCookie, ...frozen].sort()
const options = { requests: 50, races: 20 }

async function breakableRedis() {
  const redis = await startRedis()
  return { redis, place: { freeze: () => redis.freeze(), thaw: () => redis.thaw() } }
}

test.concurrent('the MemoryStore of express-session breaks these', async () => {
  const broken = await brokenPromises(() => new session.MemoryStore(), options)
  expect([...broken.keys()].sort()).toEqual(
    [
      ...lost,
      ...revived,
      ...unanswered,
      'set of a session with a BigInt calls back with an error',
      'set of a session with a cycle calls back with an error',
    ].sort(),
  )
}, 60_000)

test.concurrent('connect-redis 10 breaks these', async () => {
  const { redis, place } = await breakableRedis()
  const client = createClient({ url: redis.url })
  client.on('error', () => {})
  await client.connect()
  const makeStore = () => new RedisStore({ client, prefix: keyPrefix() })
  const broken = await brokenPromises(makeStore, { ...options, place })
  client.destroy()
  await redis.stop()

  expect([...broken.keys()].sort()).toEqual(onRedis)
}, 120_000)

test.concurrent('connect-redis 8.1 with ioredis breaks these', async () => {
  const { redis, place } = await breakableRedis()
  const client = new Redis(redis.url)
  const makeStore = () => new RedisStore8({ client, prefix: keyPrefix() })
  const broken = await brokenPromises(makeStore, { ...options, place })
  client.disconnect()
  await redis.stop()

  expect([...broken.keys()].sort()).toEqual(onRedis)
}, 120_000)

test.concurrent('connect-pg-simple 10 breaks these', async () => {
  const server = await sharedPostgres()
  const url = await server.createDatabase()
  const pool = new Pool({ connectionString: url })
  // A connection that ends with its database is no failure of the test.
  pool.on('error', () => {})
  const PgStore = connectPgSimple(session)
  let stores = 0
  const broken = await brokenPromises(
    async () => {
      // Each an empty place of its own; its names for indexes are the same in all tables of a schema.
      const schemaName = `s${++stores}`
      await pool.query(`CREATE SCHEMA ${schemaName}`)
      return new PgStore({ pool, schemaName, createTableIfMissing: true, pruneSessionInterval: false })
    },
    { ...options, close: () => {} },
  )
  await pool.end()
  await server.dropDatabase(url)

  expect([...broken.keys()].sort()).toEqual(
    [...lost, ...revived, ...unanswered, wholeSeconds, staleCookie].sort(),
  )
}, 60_000)
