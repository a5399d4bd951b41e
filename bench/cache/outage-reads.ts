import { sleep } from '@stepladder/core'
import { keyPrefix, startRedis } from '@stepladder/core/testing'
import { others } from '../../packages/cache/test/peers/all-peers.ts'
import { bentocacheTuned } from '../../packages/cache/test/peers/bentocache.ts'
import type { Peer, PeerNode } from '../../packages/cache/test/peers/peer.ts'
import { stepladder } from '../../packages/cache/test/peers/stepladder.ts'
import type { Figure } from '../figure.ts'
import { median } from '../interleave.ts'
import { countFigure } from '../turns.ts'

const loadMs = 5
const reads = 200
const callers = 16
/** Until breakers have opened. */
const openWithinMs = 2_500
/** Then a read counts as one that never ends. */
const patienceMs = 6_000
const mostRounds = 3

/** A peer's node with what each of its reads waited beyond its loader. */
interface Reader {
  readonly name: string
  readonly node: PeerNode
  readonly loaderMs: Map<string, number>
}

/** What a read of a cold key waits for the cache while Redis hangs, its process stopped, once breakers are open. */
export async function outageReads(rounds: number): Promise<Figure[]> {
  const shown = new Map<string, (number | null)[]>()
  // Whoever hangs does so for seconds, and always.
  for (let round = 1; round <= Math.min(rounds, mostRounds); round++) {
    for (const [name, ms] of await oneOutage()) shown.set(name, [...(shown.get(name) ?? []), ms])
  }
  const what =
    'read of a cold key while Redis hangs and the breaker is open: p99 of what it waits beyond its loader'
  const told = { id: 'outage-read-p99', what, aim: '<= 10', unit: 'ms' }
  return [countFigure(told, shown, (rounds) => medianOrNever(rounds))]
}

async function oneOutage(): Promise<Map<string, number | null>> {
  await using redis = await startRedis()
  const [ours, tuned, ...hanging] = await Promise.all(
    [stepladder, bentocacheTuned, ...others].map((peer) => openReader(peer, redis.url)),
  )
  await redis.freeze()
  const answering = [ours!, tuned!]
  await Promise.all(answering.map((reader) => askFor(reader, 'breaker', openWithinMs)))
  const shown = new Map<string, number | null>()
  for (const reader of answering) shown.set(reader.name, await p99(reader))
  // Side by side: they wait, and do nothing else.
  const waits = await Promise.all(hanging.map(p99))
  for (const [index, { name }] of hanging.entries()) shown.set(name, waits[index]!)
  await redis.thaw()
  await Promise.all([ours!, tuned!, ...hanging].map(({ node }) => node.close().catch(() => {})))
  return shown
}

async function openReader(peer: Peer, redis: string): Promise<Reader> {
  const loaderMs = new Map<string, number>()
  const load = async (key: string) => {
    const startedAt = performance.now()
    await sleep(loadMs)
    loaderMs.set(key, performance.now() - startedAt)
    return `row of ${key}`
  }
  const node = await peer.open({ name: keyPrefix('outage'), redis, load })
  await node.get('warm up')
  return { name: peer.name, node, loaderMs }
}

/** Reads one cold key after the other for so long, whatever becomes of them. */
async function askFor({ node }: Reader, prefix: string, ms: number): Promise<void> {
  const endsAt = performance.now() + ms
  for (let index = 0; performance.now() < endsAt; index++) {
    await Promise.race([node.get(`${prefix} ${index}`).catch(() => {}), sleep(endsAt - performance.now())])
  }
}

/** In milliseconds; null when they do not end. */
async function p99(reader: Reader): Promise<number | null> {
  const waits: number[] = []
  let next = 0
  const caller = async () => {
    while (next < reads) waits.push(await waitOf(reader, `cold ${next++}`))
  }
  const all = Promise.all(Array.from({ length: callers }, caller)).then(() => true)
  const isOver = await Promise.race([all, sleep(patienceMs).then(() => false)])
  all.catch(() => {})
  return isOver ? waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.99)]! : null
}

async function waitOf({ name, node, loaderMs }: Reader, key: string): Promise<number> {
  const startedAt = performance.now()
  const value = await node.get(key)
  const ms = performance.now() - startedAt
  if (value !== `row of ${key}`) throw new Error(`${name} answered ${String(value)}`)
  return ms - loaderMs.get(key)!
}

function medianOrNever(rounds: readonly (number | null)[]): number | null {
  const ended = rounds.filter((ms) => ms !== null)
  return ended.length === rounds.length ? median(ended) : null
}
