import { keyPrefix, sharedPostgres, sharedRedis } from '@stepladder/core/testing'
import { sessionStore } from '@stepladder/session'
import connectPgSimple from 'connect-pg-simple'
import { RedisStore } from 'connect-redis'
import { RedisStore as RedisStore8 } from 'connect-redis-8'
import session from 'express-session'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { createClient } from 'redis'

export interface OpenedStore {
  readonly store: session.Store
  close(): unknown
}

/** What apps have before they move to Stepladder, by its name: each on a place of its own. */
export const oldStores: Readonly<Record<string, () => Promise<OpenedStore>>> = {
  MemoryStore: async () => ({ store: new session.MemoryStore(), close: () => {} }),

  async 'connect-redis 8.1 on ioredis'() {
    const client = new Redis((await sharedRedis()).url)
    return { store: new RedisStore8({ client, prefix: keyPrefix() }), close: () => client.disconnect() }
  },

  async 'connect-redis 10'() {
    const client = createClient({ url: (await sharedRedis()).url })
    await client.connect()
    return { store: new RedisStore({ client, prefix: keyPrefix() }), close: () => client.destroy() }
  },

  async 'connect-pg-simple'() {
    const server = await sharedPostgres()
    const url = await server.createDatabase()
    const pool = new Pool({ connectionString: url })
    // A connection that ends with its database is no failure of the test.
    pool.on('connect', (client) => client.on('error', () => {}))
    const PgStore = connectPgSimple(session)
    const store = new PgStore({ pool, createTableIfMissing: true, pruneSessionInterval: false })
    const close = async () => {
      await pool.end()
      await server.dropDatabase(url)
    }
    return { store, close }
  },

  async 'our own store with plain ids'() {
    const store = sessionStore({ redis: (await sharedRedis()).url, prefix: keyPrefix() })
    return { store, close: () => store.close() }
  },
}
