import { LRUCache } from 'lru-cache'
import { allPeers } from '../../packages/cache/test/peers/all-peers.ts'
import type { Peer, PeerNode, TagsOf } from '../../packages/cache/test/peers/peer.ts'
import type { Figure } from '../figure.ts'
import { checkFlight, flight, flightKeys } from './flights.ts'
import { type Arm, speedFigures } from './speed.ts'

const alone = { concurrency: 1, batch: 500, warmUpMicros: 500_000 }
const limit = 'lru-cache behind an async function'
const tags = ['airport:SFO', 'airline:UA', 'flights']
/** A group of layered-loader is the first of a value's tags. */
const threeTags: TagsOf = () => tags

/** Awaited hits in the memory of the process, all arms with the same values and an hour to live. */
export async function memoryHits(rounds: number): Promise<Figure[]> {
  const plain = await Promise.all(allPeers.map((peer) => openArm(peer, peer.name)))
  const arms = [...plain, await limitArm()]
  const what = 'awaited hit in memory, vs lru-cache behind an async function'
  const figures = await speedFigures(
    { id: 'l1-hit', what, aim: '>= 0.95', against: limit, ...alone },
    arms,
    rounds,
  )
  await closeAll(plain)
  return figures
}

/** The same with three tags on each value, of those that have tags. */
export async function taggedMemoryHits(rounds: number): Promise<Figure[]> {
  const arms = await Promise.all(
    allPeers
      .filter(({ hasTags }) => hasTags)
      .flatMap((peer) => [openArm(peer, `${peer.name}, 3 tags`, threeTags), openArm(peer, peer.name)]),
  )
  const what = 'awaited hit in memory of a value with 3 tags, vs one without'
  const against = allPeers[0]!.name
  const told = { id: 'l1-tags', what, aim: '>= 0.8', against, ...alone }
  const figures = await speedFigures(told, arms, rounds)
  await closeAll(arms)
  return figures
}

interface NodeArm extends Arm {
  readonly node: PeerNode
}

async function openArm(peer: Peer, name: string, tagsOf?: TagsOf): Promise<NodeArm> {
  let loads = 0
  const load = async () => {
    loads += 1
    return flight
  }
  const node = await peer.open({ name: 'bench', load, tagsOf, ttlMs: 3_600_000 })
  for (const key of flightKeys) await node.get(key)
  const call = callInTurn((key) => node.get(key))
  const checked = async (first: number, count: number) => {
    await call(first, count)
    if (loads !== flightKeys.length) throw new Error(`${name} does not hit`)
  }
  checkFlight(name, await node.get(flightKeys[7]!))
  return { name, node, call: checked }
}

async function limitArm(): Promise<Arm> {
  const lru = new LRUCache<string, object>({ max: 10_000, ttl: 3_600_000 })
  for (const key of flightKeys) lru.set(key, flight)
  const load = async () => flight
  return { name: limit, call: callInTurn(async (key) => lru.get(key) ?? (await load())) }
}

/**
 * Each arm gets a loop of its own, compiled for itself: all would share one that inlines none, and the limit would not
 * be what it can be.
 */
function callInTurn(get: (key: string) => Promise<unknown>): Arm['call'] {
  const make: (keys: readonly string[], get: (key: string) => Promise<unknown>) => Arm['call'] =
    (keys, get) => async (first, count) => {
      for (let index = first; index < first + count; index++) await get(keys[index % keys.length]!)
    }
  loops += 1
  // The number makes it another text, which is compiled anew; types are gone from it by now.
  // biome-ignore lint/security/noGlobalEval: the only way to a second copy of a function.
  const copy = globalThis.eval(`/* ${loops} */ (${make})`) as typeof make // it is the text of `make`
  return copy(flightKeys, get)
}
let loops = 0

async function closeAll(arms: readonly NodeArm[]): Promise<void> {
  await Promise.all(arms.map(({ node }) => node.close()))
}
