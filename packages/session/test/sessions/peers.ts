import { RedisStore as NodeRedisStore } from 'connect-redis'
import { RedisStore as IoredisStore } from 'connect-redis-8'
import type session from 'express-session'
import { Redis } from 'ioredis'
import { createClient } from 'redis'

export interface Peer {
  readonly name: string
  /** Opened on a Redis, with the options that each of them has by default. */
  open(url: string, prefix: string): Promise<OpenPeer>
}

export interface OpenPeer {
  readonly store: session.Store
  close(): void
}

/** What people keep sessions in today, under express-session. */
export const peers: readonly Peer[] = [
  {
    name: 'connect-redis 10',
    async open(url, prefix) {
      const client = createClient({ url })
      client.on('error', () => {})
      await client.connect()
      return { store: new NodeRedisStore({ client, prefix }), close: () => client.destroy() }
    },
  },
  {
    name: 'connect-redis 8.1',
    async open(url, prefix) {
      const client = new Redis(url)
      client.on('error', () => {})
      return { store: new IoredisStore({ client, prefix }), close: () => client.disconnect() }
    },
  },
]
