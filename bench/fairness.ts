import type { Bench, Figure } from './figure.ts'
import { askInAll, askOnce, WireConnection } from './load/wire.ts'
import { nodeCluster } from './peers/node-cluster.ts'
import { usePublishedForm } from './peers/published-form.ts'
import { startAll } from './peers/start-all.ts'
import { stepladderWith } from './peers/stepladder.ts'
import { countFigure, inTurns } from './turns.ts'

const distributions = ['shared', 'dispatch', 'reuseport']
const ours = distributions.map((name) => stepladderWith(name, ['--distribution', name]))
const peers = [...ours, nodeCluster]
const busyRequests = 3_000
const shortRequests = 600

/** Ways of asking; each resolves to the workers that answered, one entry an answer. */
const loads = [
  { id: 'busy', what: '64 busy keep-alive connections', ask: busyConnections },
  { id: 'quiet', what: '16 keep-alive connections opened one by one', ask: quietConnections },
  { id: 'short', what: 'a connection per request, 16 at a time', ask: shortConnections },
]

/** What each worker did of all that was done, the busiest first. */
type Shares = readonly number[]

/** How evenly each distribution spreads the work: a table for docs/decisions/one-socket-for-all-workers.md. */
export const bench: Bench = {
  name: 'fairness',
  async run(rounds) {
    await usePublishedForm()
    console.log(row('workers', 'load', ...peers.map(({ name }) => name)))
    console.log(`|${'---|'.repeat(2 + peers.length)}`)
    return [...(await spreadOver(2, rounds)), ...(await spreadOver(4, rounds))]
  },
}

async function spreadOver(workers: number, rounds: number): Promise<Figure[]> {
  await using started = await startAll(peers, { workers })
  const figures: Figure[] = []
  for (const { id, what, ask } of loads) {
    const turns = await inTurns(started.servers, rounds, async ({ port }) => shares(await ask(port), workers))
    console.log(row(String(workers), what, ...[...turns.values()].map(bestAndWorst)))
    const told = `share of the busiest of ${workers} workers in the worst round: ${what}`
    figures.push(
      countFigure({ id: `fairness-${workers}-${id}`, what: told, unit: 'of all' }, turns, (rounds) =>
        Math.max(...rounds.map(([most]) => most!)),
      ),
    )
  }
  return figures
}

function shares(answers: readonly number[], workers: number): Shares {
  const counts = new Map<number, number>()
  for (const worker of answers) counts.set(worker, (counts.get(worker) ?? 0) + 1)
  const all = [...counts.values(), ...Array<number>(workers - counts.size).fill(0)]
  return all.map((count) => count / answers.length).sort((a, b) => b - a)
}

async function busyConnections(port: number): Promise<number[]> {
  const connections = await Promise.all(Array.from({ length: 64 }, () => WireConnection.open(port, '/')))
  const answers: number[] = []
  await askInAll(busyRequests, connections.length, async (client) => {
    await connections[client]!.ask()
    answers.push(connections[client]!.worker)
  })
  for (const connection of connections) connection.close()
  return answers
}

async function quietConnections(port: number): Promise<number[]> {
  const connections: WireConnection[] = []
  while (connections.length < 16) connections.push(await WireConnection.open(port, '/'))
  for (const connection of connections) connection.close()
  return connections.map(({ worker }) => worker)
}

async function shortConnections(port: number): Promise<number[]> {
  const answers: number[] = []
  await askInAll(shortRequests, 16, async () => answers.push(await askOnce(port, '/')))
  return answers
}

function bestAndWorst(rounds: readonly Shares[]): string {
  const sorted = rounds.toSorted(([a], [b]) => a! - b!)
  return [sorted[0]!, sorted.at(-1)!].map(display).join(' to ')
}

function display(shares: Shares): string {
  return shares.map((share) => share.toFixed(2).replace(/^0/, '')).join('/')
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}
