import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  request,
  type Server,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CacheOptions, createCache } from '@stepladder/cache'
import { type CacheResponseOptions, cacheResponse } from '@stepladder/cache/express'
import type { Clock } from '@stepladder/core'
import { FakeClock, RecordedReports } from '@stepladder/core/testing'
import express, { type Express, type Request, type RequestHandler } from 'express'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Ask {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string
}

/** An Express app behind a real server, and a cache whose time is moved by hand. */
export class ExpressApp implements AsyncDisposable {
  // Express says nothing of the errors that tests make.
  readonly app: Express = express().set('env', 'test')
  readonly clock = new FakeClock()
  readonly reports = new RecordedReports()
  readonly cache: ReturnType<typeof createCache>
  readonly #server: Server = createServer(this.app)
  #listening: Promise<unknown> | undefined

  /** In place of `clock`: time that passes by itself, as Redis has it. */
  readonly #time: Clock

  constructor(options: Partial<CacheOptions> = {}) {
    const { reports } = this
    const { clock = this.clock } = options
    this.#time = clock
    this.cache = createCache({
      name: 'responses',
      ttl: '1h',
      jitter: 0,
      clock,
      report: reports.report,
      ...options,
    })
  }

  /** The middleware under test, over this cache and this time. */
  cached(options: Partial<CacheResponseOptions<Request>> = {}): RequestHandler {
    const { cache } = this
    return cacheResponse<Request>({ cache, clock: this.#time, ttl: '1m', ...options })
  }

  async port(): Promise<number> {
    this.#listening ??= once(this.#server.listen(0, '127.0.0.1'), 'listening')
    await this.#listening
    return (this.#server.address() as AddressInfo).port // it listens on TCP
  }

  /** One request on a connection of its own, its headers exactly as given. */
  async ask(path: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Answer> {
    const port = await this.port()
    return new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: text }),
        )
        response.on('error', reject)
      })
      asked.on('error', reject)
      asked.end(body)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    if (this.#listening) await new Promise((resolve) => this.#server.close(resolve))
    await this.cache.close()
  }
}
