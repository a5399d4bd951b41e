import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { Closeable } from '../closeable.ts'
import { StepladderError } from '../errors.ts'
import type { FleetHealth, WorkerHealth } from './fleet-health.ts'
import { answerHealth, type ReadyAnswer } from './health-answer.ts'
import type { ListenAddress } from './listen-address.ts'

/** Ends the command when the port for the probes cannot be had. */
export class HealthPortError extends StepladderError {
  readonly code = 'HEALTH_PORT'

  constructor({ host, port }: ListenAddress, options: { readonly cause: Error }) {
    super(
      `The health port ${host === undefined ? '' : `${host}:`}${port} cannot be used: ${options.cause.message}`,
      options,
    )
  }
}

/**
 * Answers `/livez` and `/readyz` for the whole fleet, on a port of its own, so that an unmodified app can be
 * probed: ready while at least one worker is, and nobody told the fleet to go.
 */
export class HealthServer implements Closeable {
  /** `http://127.0.0.1:9000`. */
  readonly url: string
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.url = urlOf(server)
  }

  /** Rejects with `HealthPortError` when it cannot listen there. */
  static async open(address: ListenAddress, look: () => FleetHealth): Promise<HealthServer> {
    const server = createServer((request, response) => {
      // The kubelet opens a connection per probe anyway, and none may hold up the end.
      response.setHeader('Connection', 'close')
      if (answerHealth(request, response, (isVerbose) => readyAnswer(look(), isVerbose))) return
      response.statusCode = 404
      response.end('/livez and /readyz are answered here\n')
    })
    // A prober that sends half a request takes nobody's place for long.
    Object.assign(server, { headersTimeout: 5_000, requestTimeout: 5_000, maxConnections: 100 })
    try {
      server.listen(address)
      await once(server, 'listening')
    } catch (cause) {
      // Only Error is emitted as 'error' by a server.
      throw new HealthPortError(address, { cause: cause as Error })
    }
    return new HealthServer(server)
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

interface FleetAnswer extends ReadyAnswer {
  readonly workers: { readonly ready: number; readonly of: number }
  readonly details?: readonly WorkerHealth[]
}

function readyAnswer({ isStopping, workers }: FleetHealth, isVerbose: boolean): FleetAnswer {
  const ready = workers.filter(({ isReady }) => isReady).length
  const status = isStopping ? 'stopping' : ready > 0 ? 'ready' : 'not ready'
  const count = { ready, of: workers.length }
  return { status, workers: count, ...(isVerbose ? { details: workers } : {}) }
}

function urlOf(server: Server): string {
  const address = server.address()
  // It listens on a port, so this is no path, and not null before it is closed.
  if (typeof address !== 'object' || !address) throw new Error('a health server without a port')
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}`
}
