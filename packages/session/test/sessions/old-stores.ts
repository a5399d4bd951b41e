import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyPrefix, sharedPostgres, sharedRedis } from '@stepladder/core/testing'
import { sessionStore } from '@stepladder/session'
import MongoStore from 'connect-mongo'
import connectPgSimple from 'connect-pg-simple'
import { RedisStore } from 'connect-redis'
import { RedisStore as RedisStore8 } from 'connect-redis-8'
import session from 'express-session'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { createClient } from 'redis'
import sessionFileStore from 'session-file-store'
import { mongoStandIn } from './mongo-stand-in.ts'

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

  async 'session-file-store'() {
    const path = await mkdtemp(join(tmpdir(), 'sessions-'))
    const FileStore = sessionFileStore(session)
    const store = new FileStore({ path, retries: 0, reapInterval: -1, logFn: () => {} })
    return { store, close: () => rm(path, { recursive: true }) }
  },

  async 'connect-mongo, on a stand-in for its collection'() {
    const store = MongoStore.create({ client: mongoStandIn() })
    return { store, close: () => store.close() }
  },

  async 'connect-mongo with `stringify: false`, on a stand-in for its collection'() {
    const store = MongoStore.create({ client: mongoStandIn(), stringify: false })
    return { store, close: () => store.close() }
  },

  async 'our own store with plain ids'() {
    const store = sessionStore({ redis: (await sharedRedis()).url, prefix: keyPrefix() })
    return { store, close: () => store.close() }
  },
}

/** What the app put there: session-file-store adds when it has looked at a session last. */
export function fieldsOfApp({
  __lastAccess: _,
  ...fields
}: Record<string, unknown>): Record<string, unknown> {
  return fields
}
