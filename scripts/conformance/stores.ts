import { createRequire } from 'node:module'
import { keyPrefix } from '@stepladder/core/testing'
import { type KyselyDatabase, type SessionStoreOptions, sessionStore } from '@stepladder/session'
import { createClient } from 'redis'
import { postgresDatabase } from '../../packages/session/test/postgres-database.ts'
import { sqliteDatabase } from '../../packages/session/test/sqlite-database.ts'

/** A store that is asked for, and let go of when the suite is over. */
export interface OpenedStore {
  close?(): Promise<void>
}

/**
 * Opens stores one after the other, each empty: they share the place at `url` under prefixes of their own. The
 * timeout is long, because a suite that runs beside others tells nothing about time.
 */
export function opener(name: string, url: string): () => OpenedStore {
  switch (name) {
    case 'memory':
      return () => sessionStore({ embedded: true })
    case 'redis':
      return () => sessionStore({ redis: url, ...anew() })
    case 'sqlite':
      return sharing(sqliteDatabase(url))
    case 'postgres':
      return sharing(postgresDatabase(url))
    case 'connect-redis':
      return connectRedis(url)
    default:
      throw new Error(`CONFORMANCE_STORE names no store: "${name}"`)
  }
}

function anew(): SessionStoreOptions {
  return { prefix: keyPrefix(), timeout: '5s' }
}

function sharing(database: KyselyDatabase & { destroy(): Promise<void> }): () => OpenedStore {
  let open = 0
  return () => {
    open += 1
    const store = sessionStore({ database, ...anew() })
    const close = store.close.bind(store)
    // The last one closes what all have used.
    store.close = async () => {
      await close()
      open -= 1
      if (open === 0) await database.destroy()
    }
    return store
  }
}

function connectRedis(url: string): () => OpenedStore {
  const client = createClient({ url })
  const connected = client.connect()
  // Its base class is that of the suite's express-session, which is there by the time the first store is made.
  const require = createRequire(import.meta.url)
  let isOpen = true
  return () => {
    const { RedisStore }: typeof import('connect-redis') = require('connect-redis')
    const close = async () => {
      await connected
      if (isOpen) client.destroy()
      isOpen = false
    }
    return Object.assign(new RedisStore({ client, prefix: keyPrefix() }), { close })
  }
}
