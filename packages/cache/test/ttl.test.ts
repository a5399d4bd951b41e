import { MemoryStore } from '@stepladder/cache/testing'
import { FakeClock } from '@stepladder/core/testing'
import { expect, test } from 'vitest'
import { setUp } from './set-up.ts'

test('a TTL may be decided from the value, and 0 hands it out without keeping it', async () => {
  const clock = new FakeClock()
  const store = new MemoryStore(clock)
  const { cache, reports } = setUp({ clock, store })
  let loads = 0
  const read = (key: string, seconds: number) =>
    cache.getOrSet(key, () => ({ seconds, nth: ++loads }), { ttl: (value) => value.seconds * 1_000 })
  await read('short', 1)
  await read('long', 60)
  expect(await read('never', 0)).toEqual({ seconds: 0, nth: 3 })
  await clock.advance(30_000)
  expect(await read('long', 60)).toMatchObject({ nth: 2 })
  expect(await read('short', 1)).toMatchObject({ nth: 4 })
  expect(await read('never', 0)).toMatchObject({ nth: 5 })
  expect(await store.get(['never'])).toEqual([null])
  expect(reports.outcomes('fill')).toEqual([])
})

test('a TTL that a function gets wrong is reported, and the value handed out', async () => {
  const { cache, reports } = setUp()
  expect(await cache.getOrSet('key', () => 'value', { ttl: () => 'soon' as never })).toBe('value')
  expect(await cache.get('key')).toBeUndefined()
  expect(reports.all.find(({ outcome }) => outcome === 'unstorable')?.cause).toMatchObject({
    code: 'INVALID_OPTION',
  })
})

test('null and undefined are values, and may have a TTL of their own', async () => {
  const clock = new FakeClock()
  const store = new MemoryStore(clock)
  const { cache } = setUp({ clock, store, negativeTtl: '1s' })
  const another = setUp({ clock, store }).cache
  let loads = 0
  const read = (key: string, value: null | undefined) =>
    cache.getOrSet(key, () => {
      loads += 1
      return value
    })
  for (const [key, value] of [
    ['null', null],
    ['undefined', undefined],
  ] as const) {
    expect(await read(key, value)).toBe(value)
    expect(await read(key, value)).toBe(value)
    expect(await another.getOrSet<unknown>(key, () => 'not asked')).toBe(value)
    expect(await another.has(key)).toBe(true)
  }
  expect(loads).toBe(2)
  expect(await another.has('nothing')).toBe(false)
  await clock.advance(1_000)
  expect(await cache.has('null')).toBe(false)
  await read('null', null)
  expect(loads).toBe(3)
})

test.each([
  ['negativeTtl', 0],
  ['grace', -1],
  ['softTimeout', 0],
  ['hardTimeout', 'never'],
  ['refreshAhead', 1],
  ['refreshAhead', 0],
  ['earlyRefresh', -1],
  ['strong', 'yes'],
])('the option %s as %j is refused, when the cache is made and for one call', async (option, value) => {
  const refused = { code: 'INVALID_OPTION', message: new RegExp(`"${option}"`) as never }
  expect(() => setUp({ [option]: value })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  await expect(setUp().cache.getOrSet('key', () => 1, { [option]: value })).rejects.toMatchObject({
    code: refused.code,
  })
})
