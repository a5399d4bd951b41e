import { expect, test } from 'vitest'
import { Ghosts, hashOf } from '../src/memory/ghosts.ts'

const hashes = Array.from({ length: 100_000 }, (_, index) => hashOf(`flight:${index}`))

test('most of the keys lost last are known, each with the number of losses since', () => {
  const ghosts = new Ghosts()
  for (const hash of hashes.slice(0, 5_000)) ghosts.remember(hash, 1_000)
  const losses = hashes.slice(4_000, 5_000).map((hash) => ghosts.take(hash))
  const known = losses.filter((since, index) => since === 999 - index)
  expect(known.length).toBeGreaterThan(700)
  expect(losses.filter((since) => since === Number.POSITIVE_INFINITY)).toHaveLength(1_000 - known.length)
})

test('however many are lost, no more are known than there is room for', () => {
  const ghosts = new Ghosts()
  for (const hash of hashes) ghosts.remember(hash, 1_000)
  const known = hashes.filter((hash) => ghosts.take(hash) !== Number.POSITIVE_INFINITY)
  expect(known.length).toBeLessThan(4_000)
})

test('a key is told once, and one that was never lost is not known', () => {
  const ghosts = new Ghosts()
  const [lost, other] = [hashOf('lost'), hashOf('other')]
  expect(ghosts.take(lost)).toBe(Number.POSITIVE_INFINITY)
  ghosts.remember(lost, 10)
  expect([ghosts.take(lost), ghosts.take(lost), ghosts.take(other)]).toEqual([0, Infinity, Infinity])
})

test('keys that differ in one place only lie all over the table', () => {
  const keysPerPlace = new Uint32Array(1_024)
  for (const hash of hashes) keysPerPlace[hash & 1_023]! += 1
  expect(Math.max(...keysPerPlace)).toBeLessThan(2 * (hashes.length / 1_024))
  expect(new Set(hashes).size).toBeGreaterThan(hashes.length - 10)
})
