import { createServer } from 'node:net'
import { retry } from '../src/retry.ts'
import { ServerStartError } from './errors.ts'

const lowest = 10_000
const count = 12_000

/**
 * A loopback port that nobody listens on, from 10000 to 21999. That is below the range from which systems
 * number outgoing connections: so no connection takes the port while its server is down, and no client that
 * dials a dead server is connected to itself. `alsoFree` lists distances at which ports must be free as well.
 */
export async function freePort(alsoFree: readonly number[] = []): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * count)
    const wanted = [port, ...alsoFree.map((distance) => port + distance)]
    const free = await Promise.all(wanted.map(isFree))
    if (free.every(Boolean)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** Runs `start` with a free port, and again with another if someone else was faster to take it. */
export function onFreePort<T>(
  start: (port: number) => Promise<T>,
  alsoFree: readonly number[] = [],
): Promise<T> {
  return retry(async () => start(await freePort(alsoFree)), {
    attempts: 5,
    backoff: () => 0,
    retryIf: wasTaken,
  })
}

function wasTaken(failure: unknown): boolean {
  if (failure instanceof ServerStartError) return /address already in use/i.test(failure.log)
  return failure instanceof Error && 'code' in failure && failure.code === 'EADDRINUSE'
}
