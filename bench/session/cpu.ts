import { sleep } from '@stepladder/core'
import type { Figure } from '../figure.ts'
import { askInAll, WireConnection } from '../load/wire.ts'
import { cpuMicros } from '../peers/process-tree.ts'
import { inTurns, joinTurns, ratioFigure, type Turns } from '../turns.ts'
import { openPlaces } from './places.ts'
import {
  bareGet,
  connectPgSimple,
  connectRedis8,
  connectRedis10,
  memoryStore,
  none,
  ourStore,
  ours,
  type SessionServer,
  startServers,
} from './session-server.ts'

const clients = 32
/** Until it is compiled as well as it will be: before that, an app without sessions costs twice as much too. */
const warmUpRequests = 15_000
/**
 * Not counted, at the begin of each slice: while the other servers had their turn, V8 has tidied up the heap and the code of this
 * one, and the caches of the machine are theirs. Whoever measures that measures how long a server was idle.
 */
const requestsBeforeSlice = 2_500
const requestsPerSlice = 4_000
const slicesPerRound = 3
const layers = [ours, ourStore, none, bareGet, memoryStore, connectRedis10, connectRedis8, connectPgSimple]

type Kind = 'read' | 'write' | 'anonymous'
const kinds: readonly Kind[] = ['read', 'write', 'anonymous']

/** CPU time of the server per request, by Linux's account of it; what Redis and Postgres spend is theirs. */
export async function cpu(rounds: number): Promise<Figure[]> {
  await using opened = await openPlaces()
  const shown: Record<Kind, Turns<number>[]> = { read: [], write: [], anonymous: [] }
  for (let round = 1; round <= rounds; round++) {
    // Anew in each round: how a process happens to lie in memory stays with it for life.
    await using started = await startServers(layers, opened.places)
    for (const kind of kinds) shown[kind].push(await slices(started.servers, kind))
  }
  const aims = { read: 1.5, write: 1.9, anonymous: 1.1 }
  return [
    ...kinds.map((kind) =>
      ratioFigure(
        {
          id: `cpu-middleware-${kind}`,
          what: `CPU time of the server per ${names[kind]}, our middleware vs no session`,
          aim: `<= ${aims[kind]}`,
          armsUnit: 'us',
        },
        joinTurns(shown[kind]),
        none.name,
      ),
    ),
    ...(['read', 'write'] as const).flatMap((kind) => {
      const turns = without(joinTurns(shown[kind]), ours.name)
      return [connectRedis10, connectRedis8].map((peer, index) =>
        ratioFigure(
          {
            id: `cpu-store-${kind}${index === 0 ? '' : '-ioredis'}`,
            what: `CPU time of the server per ${names[kind]}, our store vs ${peer.name}`,
            aim: '<= 0.9',
            armsUnit: 'us',
          },
          turns,
          peer.name,
        ),
      )
    }),
  ]
}

const names = {
  read: 'request that reads its session',
  write: 'request that changes its session',
  anonymous: 'request without a cookie',
}

async function slices(servers: readonly SessionServer[], kind: Kind): Promise<Turns<number>> {
  const path = kind === 'write' ? '/write' : '/read'
  const opened = new Map<SessionServer, WireConnection[]>()
  for (const server of servers) {
    const opening = Array.from({ length: clients }, async (_, client) => {
      const headers = kind === 'anonymous' ? {} : { Cookie: await server.login(`user${client}`) }
      return WireConnection.open(server.port, path, headers)
    })
    const connections = await Promise.all(opening)
    opened.set(server, connections)
    await askInAll(warmUpRequests, clients, (client) => connections[client]!.ask())
  }
  const turns = await inTurns(servers, slicesPerRound, async (server) => {
    const connections = opened.get(server)!
    await askInAll(requestsBeforeSlice, clients, (client) => connections[client]!.ask())
    const before = cpuMicros([server.pid])
    await askInAll(requestsPerSlice, clients, (client) => connections[client]!.ask())
    // What the last answer leaves to do is its own.
    await sleep(5)
    return (cpuMicros([server.pid]) - before) / requestsPerSlice
  })
  for (const connection of [...opened.values()].flat()) connection.close()
  return turns
}

function without(turns: Turns<number>, name: string): Turns<number> {
  return new Map([...turns].filter(([arm]) => arm !== name))
}
