import type { Figure } from '../figure.ts'
import { openBalanced } from '../load/balanced.ts'
import { askInAll, askOnce, type WireConnection } from '../load/wire.ts'
import { bareSharedSocket, nodeCluster } from '../peers/node-cluster.ts'
import { pm2 } from '../peers/pm2.ts'
import type { RunningPeer } from '../peers/running-peer.ts'
import { startAll } from '../peers/start-all.ts'
import { stepladder } from '../peers/stepladder.ts'
import { throng } from '../peers/throng.ts'
import { inTurns, joinTurns, ratioFigure, type Turns } from '../turns.ts'

/** The bare shared socket is the limit: less than the kernel and Node themselves take, nobody can. */
const peers = [stepladder, bareSharedSocket, nodeCluster, throng, pm2]
/** Many short slices: what else happens on the machine then hits all arms alike. */
const slicesPerRound = 8
const requestsPerSlice = 1_500
const connectionsPerSlice = 400
const warmUpRequests = 4_000
const connectionsPerWorker = 8
const clients = 16

/** What a request and a connection cost: the time that all processes and threads of a server spend on a core. */
export async function cpuCosts(rounds: number): Promise<Figure[]> {
  const requests: Turns<number>[] = []
  const connections: Turns<number>[] = []
  for (let round = 1; round <= rounds; round++) {
    // Anew in each round: how a process happens to lie in memory stays with it for life.
    await using started = await startAll(peers)
    requests.push(await requestSlices(started.servers))
    connections.push(await connectionSlices(started.servers))
  }
  const armsUnit = 'us'
  return [
    ratioFigure(
      {
        id: 'cpu-per-request',
        what: 'CPU time per request on kept connections, vs bare node:cluster',
        aim: '<= 1.02',
        armsUnit,
      },
      joinTurns(requests),
      nodeCluster.name,
    ),
    ratioFigure(
      {
        id: 'cpu-per-connection',
        what: 'CPU time per request on a new connection, vs node:cluster, which hands out in turn',
        aim: '<= 0.5',
        armsUnit,
      },
      joinTurns(connections),
      nodeCluster.name,
    ),
  ]
}

async function requestSlices(servers: readonly RunningPeer[]): Promise<Turns<number>> {
  const opened = new Map<RunningPeer, WireConnection[]>()
  for (const server of servers) {
    const connections = await openBalanced(server, connectionsPerWorker, '/')
    opened.set(server, connections)
    await askInAll(warmUpRequests, connections.length, (client) => connections[client]!.ask())
  }
  const turns = await inTurns(servers, slicesPerRound, async (server) => {
    const connections = opened.get(server)!
    const micros = await server.cpuMicrosDuring(() =>
      askInAll(requestsPerSlice, connections.length, (client) => connections[client]!.ask()),
    )
    return micros / requestsPerSlice
  })
  for (const connection of [...opened.values()].flat()) connection.close()
  return turns
}

function connectionSlices(servers: readonly RunningPeer[]): Promise<Turns<number>> {
  return inTurns(servers, slicesPerRound, async (server) => {
    const micros = await server.cpuMicrosDuring(() =>
      askInAll(connectionsPerSlice, clients, () => askOnce(server.port, '/')),
    )
    return micros / connectionsPerSlice
  })
}
