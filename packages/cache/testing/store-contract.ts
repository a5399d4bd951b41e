import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CacheStore } from '../src/store.ts'

/** What every `CacheStore` must keep. `make` gives a store that nothing else uses; the contract closes it. */
export function testCacheStore(name: string, make: () => CacheStore | Promise<CacheStore>): void {
  describe(`${name} is a cache store`, () => {
    let store: CacheStore
    beforeAll(async () => {
      store = await make()
    })
    afterAll(() => store.close())

    const granted = (record: string | null) => ({ isGranted: true, record })

    test('a record that was set is read until its time is over', async () => {
      expect(await store.get('set')).toBeNull()
      await store.set('set', 'one', 10_000)
      expect(await store.get('set')).toBe('one')
      await store.set('set', 'two', 30)
      await new Promise((resolve) => setTimeout(resolve, 60))
      expect(await store.get('set')).toBeNull()
    })

    test('a lease is granted to one at a time, and its fill is stored', async () => {
      expect(await store.lease('lease', 'a', 10_000)).toEqual(granted(null))
      expect(await store.lease('lease', 'b', 10_000)).toEqual({ isGranted: false })
      expect(await store.fill('lease', 'a', 'loaded', 10_000)).toBe(true)
      expect(await store.get('lease')).toBe('loaded')
      expect(await store.lease('lease', 'b', 10_000)).toEqual(granted('loaded'))
    })

    test('a fill whose key was invalidated after the lease is refused', async () => {
      await store.lease('race', 'a', 10_000)
      await store.invalidate(['race'], [])
      expect(await store.fill('race', 'a', 'old', 10_000)).toBe(false)
      expect(await store.get('race')).toBeNull()
    })

    test('a fill of a lease that passed to somebody else is refused', async () => {
      await store.lease('passed', 'a', 10_000)
      await store.invalidate(['passed'], [])
      expect(await store.lease('passed', 'b', 10_000)).toEqual(granted(null))
      expect(await store.fill('passed', 'a', 'old', 10_000)).toBe(false)
      expect(await store.fill('passed', 'b', 'new', 10_000)).toBe(true)
      expect(await store.get('passed')).toBe('new')
    })

    test('a value that was set is not overwritten by a load that began before', async () => {
      await store.lease('given', 'a', 10_000)
      await store.set('given', 'new', 10_000)
      expect(await store.fill('given', 'a', 'old', 10_000)).toBe(false)
      expect(await store.get('given')).toBe('new')
    })

    test('a lease that is not renewed lapses; one that is stays', async () => {
      await store.lease('lapsed', 'a', 30)
      await store.lease('renewed', 'a', 30)
      await store.renew('renewed', 'a', 10_000)
      await store.renew('renewed', 'b', 1)
      await new Promise((resolve) => setTimeout(resolve, 60))
      expect(await store.fill('lapsed', 'a', 'late', 10_000)).toBe(false)
      expect(await store.fill('renewed', 'a', 'in time', 10_000)).toBe(true)
    })

    test('a lease is released by its holder only', async () => {
      await store.lease('released', 'a', 10_000)
      await store.release('released', 'b')
      expect(await store.lease('released', 'b', 10_000)).toEqual({ isGranted: false })
      await store.release('released', 'a')
      expect(await store.lease('released', 'b', 10_000)).toEqual(granted(null))
    })

    test('a tag has no epoch until somebody needs one, keeps it, and never has it again once invalidated', async () => {
      expect(await store.epochs(['x', 'y'])).toEqual([null, null])
      const [x, y] = await store.ensureEpochs(['x', 'y'], 10_000)
      expect(x).not.toBe(y)
      expect(await store.ensureEpochs(['y', 'x'], 10_000)).toEqual([y, x])
      await store.invalidate([], ['x'])
      expect(await store.epochs(['x', 'y'])).toEqual([null, y])
      const [later] = await store.ensureEpochs(['x'], 10_000)
      expect(later).not.toBe(x)
    })

    test('an epoch lasts as long as whoever needs it longest', async () => {
      const [epoch] = await store.ensureEpochs(['lasting'], 40)
      await store.ensureEpochs(['lasting'], 10_000)
      await new Promise((resolve) => setTimeout(resolve, 120))
      expect(await store.epochs(['lasting'])).toEqual([epoch])
    })

    test('keys and tags are independent, whatever characters they are made of', async () => {
      const names = ['a', 'a}', '{a}', 'a:l', 'a}:l', 'a}:t', 'ключ', '🎈', 'a b\n"', 'constructor']
      for (const name of names) await store.set(name, `record of ${name}`, 10_000)
      const epochs = await store.ensureEpochs(names, 10_000)
      expect(new Set(epochs).size).toBe(names.length)
      for (const name of names) expect(await store.get(name)).toBe(`record of ${name}`)
      await store.invalidate(['a'], ['a}'])
      expect(await store.get('a')).toBeNull()
      for (const name of names.slice(1)) expect(await store.get(name)).toBe(`record of ${name}`)
      expect((await store.epochs(names)).map((epoch) => epoch === null)).toEqual(
        names.map((name) => name === 'a}'),
      )
    })
  })
}
