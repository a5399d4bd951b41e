import { LRUCache } from 'lru-cache'
import { Entries } from '../../packages/cache/src/memory/entries.ts'
import type { Figure } from '../figure.ts'
import { interleave } from '../interleave.ts'

const maxEntries = 10_000
const reads = 1_000_000

/** Each arm brings its own loop, or all would share one that inlines none. */
type ReadAll = (times: number) => number

/** What a lookup in memory takes, without the promise and the clock around it. */
export async function memoryGet(rounds: number): Promise<Figure[]> {
  const keys = Array.from({ length: maxEntries }, (_, index) => `flight:${index}`)
  const entries = new Entries<{ size: number }>(maxEntries, Number.MAX_SAFE_INTEGER)
  const lru = new LRUCache<string, { size: number }>({ max: maxEntries })
  const map = new Map<string, { size: number }>()
  for (const key of keys) for (const memory of [entries, lru, map]) memory.set(key, { size: 1 })
  // Not in the order in which they lie in memory. 7,919 is prime: every key has its turn.
  const order = keys.map((_, index) => keys[(index * 7_919) % maxEntries]!)

  const { arms, ratio, spread } = await interleave(
    {
      ours: async () =>
        nsPerRead((times) => {
          let found = 0
          for (let index = 0; index < times; index++) found += entries.get(order[index % maxEntries]!)!.size
          return found
        }),
      'lru-cache': async () =>
        nsPerRead((times) => {
          let found = 0
          for (let index = 0; index < times; index++) found += lru.get(order[index % maxEntries]!)!.size
          return found
        }),
      'a Map': async () =>
        nsPerRead((times) => {
          let found = 0
          for (let index = 0; index < times; index++) found += map.get(order[index % maxEntries]!)!.size
          return found
        }),
    },
    rounds,
    (round) => round.ours / round['lru-cache'],
  )
  const what = 'lookup of a key in the memory of the process, vs lru-cache'
  return [{ id: 'l1-get', what, aim: '<= 1', value: ratio, unit: 'x', arms, armsUnit: 'ns', spread }]
}

/** Of CPU time: what else runs on the machine then counts for less. */
function nsPerRead(readAll: ReadAll): number {
  const startedAt = process.cpuUsage()
  if (readAll(reads) !== reads) throw new Error('a key is not in memory')
  const { user, system } = process.cpuUsage(startedAt)
  return ((user + system) * 1_000) / reads
}
