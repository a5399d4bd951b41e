import { createServer } from 'node:net'

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
