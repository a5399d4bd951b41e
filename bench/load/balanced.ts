import type { RunningPeer } from '../peers/running-peer.ts'
import { WireConnection } from './wire.ts'

const atOnce = 16
const mostTries = 200

/**
 * Keep-alive connections, so many to each worker of a server: how it spreads connections is one thing to
 * measure, and what a request costs is another.
 */
export async function openBalanced(
  server: RunningPeer,
  perWorker: number,
  path: string,
): Promise<WireConnection[]> {
  const workers = await server.workers()
  const kept: WireConnection[] = []
  for (let tries = 0; tries < mostTries; tries++) {
    const opening = Array.from({ length: atOnce }, () => WireConnection.open(server.port, path))
    for (const connection of await Promise.all(opening)) {
      const hasRoom = kept.filter(({ worker }) => worker === connection.worker).length < perWorker
      if (hasRoom) kept.push(connection)
      else connection.close()
    }
    if (kept.length === perWorker * workers.length) return inTurn(kept)
  }
  throw new Error(`${server.name} does not let every worker have ${perWorker} connections`)
}

/** One of each worker after the other, as a round-robin gives them out: whom the load asks first matters. */
function inTurn(connections: readonly WireConnection[]): WireConnection[] {
  const ofWorkers = [...Map.groupBy(connections, ({ worker }) => worker).values()]
  return ofWorkers[0]!.flatMap((_, nth) => ofWorkers.map((ofWorker) => ofWorker[nth]!))
}
