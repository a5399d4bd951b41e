import { LRUCache } from 'lru-cache'
import { expect, test } from 'vitest'
import { Entries } from '../src/memory/entries.ts'
import { hitRatio, type Policy } from './policies/policy.ts'
import { S3Fifo } from './policies/s3-fifo.ts'
import { Sieve } from './policies/sieve.ts'
import { drift, scans, visits, type Workload, zipf } from './policies/workloads.ts'

/** One in a hundred of the keys there are. */
const maxEntries = 1_000

const ours = () => new Entries<object & { size: number }>(maxEntries, Number.MAX_SAFE_INTEGER)
const lru = () => new LRUCache<string, object>({ max: maxEntries })
const sieve = () => new Sieve(maxEntries)
const s3Fifo = () => new S3Fifo(maxEntries)

/** How many of a hundred requests more than with LRU find their key. */
function pointsOverLru(workload: Workload, make: () => Policy): number {
  const requests = workload(300_000, 1)
  return 100 * (hitRatio(make(), requests) - hitRatio(lru(), requests))
}

test('where some keys are popular and stay so, 8 of 100 reads more than with LRU find their value', () => {
  expect(pointsOverLru(zipf, ours)).toBeGreaterThan(8)
})

test('where popularity moves on, so do the keys that are kept: 5 of 100 reads more', () => {
  expect(pointsOverLru(drift, ours)).toBeGreaterThan(5)
  // One that does as well where nothing moves clings to what was popular.
  expect(pointsOverLru(zipf, sieve)).toBeGreaterThan(8)
  expect(pointsOverLru(drift, sieve)).toBeLessThan(2)
})

test('a report that reads everything once costs reads no more than it costs LRU', () => {
  expect(pointsOverLru(scans, ours)).toBeGreaterThan(8)
})

test('where each key is asked for a few times and never again, it does as well as LRU, which suits that best', () => {
  expect(pointsOverLru(visits, ours)).toBeGreaterThan(-0.5)
  // Those that do not find out how much room newcomers need.
  expect(pointsOverLru(visits, s3Fifo)).toBeLessThan(-5)
  expect(pointsOverLru(visits, sieve)).toBeLessThan(-5)
})
