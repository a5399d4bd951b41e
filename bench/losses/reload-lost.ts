import { sleep } from '@stepladder/core'
import type { LoadResult } from '../../packages/core/test/load/load.ts'
import { loadModels } from '../../packages/core/test/load/models.ts'
import type { Figure } from '../figure.ts'
import { httpTerminator, nodeCluster } from '../peers/node-cluster.ts'
import type { Peer } from '../peers/peer.ts'
import { pm2 } from '../peers/pm2.ts'
import { type RunningPeer, startPeer } from '../peers/running-peer.ts'
import { stepladder } from '../peers/stepladder.ts'
import { throng } from '../peers/throng.ts'
import { countFigure, inTurns, sum } from '../turns.ts'

/** So many clients of each kind, all at the same time. */
const clients = {
  'saturated keep-alive': 12,
  'idle keep-alive': 60,
  'connection storm': 4,
  'slow POST bodies': 10,
  WebSocket: 10,
  'Server-Sent Events': 10,
} satisfies Partial<Record<keyof typeof loadModels, number>>

type Model = keyof typeof clients
type Losses = Readonly<Record<Model, LoadResult>>

// The names of the models are all the keys there are.
const models = Object.keys(clients) as Model[]

/** What clients lost while both workers were replaced, one reload a round; in all, and by the kind of client. */
export async function reloadLost(rounds: number): Promise<Figure[]> {
  const peers = [stepladder, pm2, throng, nodeCluster, httpTerminator]
  const turns = await inTurns(peers, rounds, reloadUnderLoad)
  const ours = turns.get(stepladder.name)!
  const lost = (id: string, kinds: readonly Model[]) => {
    const answered = sum(kinds.flatMap((kind) => ours.map((round) => round[kind].answered)))
    const what = `lost in ${rounds} rolling reloads of 2 workers, by ${kinds.join(', ')}; ours answered ${answered}`
    return countFigure({ id, what, aim: '<= 0', unit: 'requests' }, turns, (results) =>
      sum(kinds.flatMap((kind) => results.map((result) => lossesOf(result[kind])))),
    )
  }
  return [lost('reload-lost', models), ...models.map((kind) => lost(`reload-lost-${idOf(kind)}`, [kind]))]
}

async function reloadUnderLoad(peer: Peer, seed: number): Promise<Losses> {
  await using running = await startPeer(peer, { app: 'open.cjs' })
  const { port } = running
  const over = new AbortController()
  const target = { port, seed, signal: over.signal }
  const loads = models.map(async (kind) => [
    kind,
    await loadModels[kind]({ ...target, clients: clients[kind] }),
  ])
  try {
    await sleep(1_000)
    await reload(peer, running)
    await sleep(500)
  } finally {
    over.abort()
  }
  // One entry for each model, from the line above.
  return Object.fromEntries(await Promise.all(loads)) as Losses
}

async function reload(peer: Peer, running: RunningPeer): Promise<void> {
  try {
    await running.reload()
  } catch (cause) {
    // What its clients lost meanwhile counts all the same.
    if (peer === stepladder) throw cause
    console.log(`  ${peer.name}: a reload did not end: ${cause}`)
  }
}

function lossesOf({ lost }: LoadResult): number {
  return sum(Object.values(lost))
}

function idOf(kind: Model): string {
  return kind.toLowerCase().replaceAll(/[^a-z]+/g, '-')
}
