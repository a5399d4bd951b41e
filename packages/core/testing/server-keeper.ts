import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:net'
import { type PostgresServer, startPostgres } from './postgres-server.ts'
import { type RedisServer, startRedis } from './redis-server.ts'

/**
 * Keeps one server of each kind for a whole test run, across its processes: who connects and names a kind
 * is answered with the URL, and the first to ask has the server started.
 */
export class ServerKeeper {
  #listener: Server | undefined
  #redis: Promise<RedisServer> | undefined
  #postgres: Promise<PostgresServer> | undefined

  /** Resolves to the port where it listens. It does not keep its process alive. */
  async listen(): Promise<number> {
    const listener = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', async (kind) =>
        socket.end(JSON.stringify(await this.#answer(kind.toString().trim()))),
      )
    })
    this.#listener = listener.listen(0, '127.0.0.1').unref()
    await once(listener, 'listening')
    // It listens on TCP, where an address has this form.
    return (listener.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    this.#listener?.close()
    // A server that could not start has told those who asked, and left nothing to stop.
    const started = await Promise.allSettled([this.#redis, this.#postgres])
    await Promise.all(started.map((outcome) => outcome.status === 'fulfilled' && outcome.value?.stop()))
  }

  async #answer(kind: string): Promise<KeptServer> {
    try {
      const server = await this.#start(kind)
      return { url: server.url }
    } catch (failure) {
      return { failure: failure instanceof Error ? failure.message : String(failure) }
    }
  }

  #start(kind: string): Promise<RedisServer | PostgresServer> {
    if (kind === 'redis') {
      this.#redis ??= startRedis()
      return this.#redis
    }
    this.#postgres ??= startPostgres({ config: { max_connections: '300' } })
    return this.#postgres
  }
}

/** What the keeper answers, as JSON. */
export type KeptServer = { readonly url: string } | { readonly failure: string }
