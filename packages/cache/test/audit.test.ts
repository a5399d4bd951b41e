import { expect, test } from 'vitest'
import { setUp } from './set-up.ts'

/** A row in a database, behind a cache that compares each hit with it. */
function setUpRow() {
  const { cache, clock, reports } = setUp({ audit: 1, ttl: '1m' })
  const source = { row: { price: 1 }, loads: 0, isDown: false }
  const read = () =>
    cache.getOrSet('row', async () => {
      source.loads += 1
      if (source.isDown) throw new Error('down')
      return { ...source.row }
    })
  return { cache, clock, reports, source, read }
}

test('a value that its source no longer has, and that is served for longer than the contract allows, is reported', async () => {
  const { clock, reports, source, read } = setUpRow()
  await read()
  source.row.price = 2
  await read()
  await clock.advance(1_500)
  expect(reports.outcomes('audit')).toEqual(['stale'])
})

test('control: one that was invalidated when it changed is not', async () => {
  const { cache, clock, reports, source, read } = setUpRow()
  await read()
  await read()
  await clock.advance(1)
  source.row.price = 2
  await read()
  await cache.invalidate({ keys: ['row'] })
  await clock.advance(1_500)
  await read()
  await read()
  await clock.advance(1)
  expect(reports.outcomes('audit')).toEqual(['same', 'changed', 'same'])
})

test('one look at a time, and a source that fails harms nobody', async () => {
  const { clock, reports, source, read } = setUpRow()
  await read()
  await Promise.all(Array.from({ length: 100 }, read))
  await clock.advance(1)
  expect(source.loads).toBe(2)
  source.isDown = true
  expect(await read()).toEqual({ price: 1 })
  await clock.advance(1)
  expect(reports.outcomes('audit')).toEqual(['same', 'failed'])
})

test('nothing is looked at unless it is asked for, and at most by the rate', async () => {
  const quiet = setUp()
  await quiet.cache.getOrSet('key', () => 1)
  await quiet.cache.getOrSet('key', () => expect.fail('nobody asked for it'))
  expect(() => setUp({ audit: 1.5 })).toThrow(/"audit"/)

  const { cache, clock, reports } = setUp({ audit: 0.01, ttl: '1h' })
  for (let hit = 0; hit < 5_000; hit++) {
    await cache.getOrSet('key', () => 1)
    await clock.advance(0)
  }
  expect(reports.outcomes('audit').length).toBeGreaterThan(15)
  expect(reports.outcomes('audit').length).toBeLessThan(110)
})
