import type { Figure } from '../figure.ts'
import { askInAll, askOnce } from '../load/wire.ts'
import { nodeCluster } from '../peers/node-cluster.ts'
import { type RunningPeer, startPeer } from '../peers/running-peer.ts'
import { stepladder } from '../peers/stepladder.ts'
import { inTurns, ratioFigure, type Turns } from '../turns.ts'

/** Few requests that take some milliseconds each: beside them, sending them costs next to nothing. */
const requestsPerSlice = 160
const slicesPerRound = 3
const clients = 8

interface Arm {
  readonly name: string
  readonly workers: number
  readonly server: RunningPeer
}

/** Requests per second: as the clients saw it, and as the workers could if each had a core that it need not share. */
interface Slice {
  readonly measured: number
  readonly modelled: number
}

/** What a second worker adds where all that requests need is CPU time. */
export async function scaling(rounds: number): Promise<Figure[]> {
  await using servers = new AsyncDisposableStack()
  const arms: Arm[] = []
  for (const peer of [stepladder, nodeCluster]) {
    for (const workers of [2, 1]) {
      const server = servers.use(await startPeer(peer, { workers }))
      const arm = { name: nameOf(peer.name, workers), workers, server }
      arms.push(arm)
      await slice(arm)
    }
  }
  const turns = await inTurns(arms, rounds * slicesPerRound, slice)
  const figure = (id: string, what: string, kind: keyof Slice) =>
    ratioFigure(
      { id, what: `throughput of 2 workers vs 1, ${what}`, aim: '>= 1.9', armsUnit: 'requests/s' },
      pick(turns, kind),
      nameOf(stepladder.name, 1),
    )
  return [
    figure('scaling-2', 'modelled: workers over the CPU time per request', 'modelled'),
    figure('scaling-2-wall', 'as measured, with the load on the same cores', 'measured'),
  ]
}

async function slice({ server, workers }: Arm): Promise<Slice> {
  let seconds = 0
  const micros = await server.cpuMicrosDuring(async () => {
    const startedAt = performance.now()
    await askInAll(requestsPerSlice, clients, () => askOnce(server.port, '/compute'))
    seconds = (performance.now() - startedAt) / 1_000
  })
  return { measured: requestsPerSlice / seconds, modelled: (workers * requestsPerSlice) / (micros / 1e6) }
}

function nameOf(peer: string, workers: number): string {
  return `${peer} with ${workers}`
}

function pick(turns: Turns<Slice>, kind: keyof Slice): Turns<number> {
  return new Map([...turns].map(([name, slices]) => [name, slices.map((slice) => slice[kind])]))
}
