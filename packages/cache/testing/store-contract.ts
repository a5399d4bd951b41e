import { deepEqual, equal, notEqual } from 'node:assert/strict'
import type { CacheStore } from '../src/store/store.ts'

/** A store that nothing else uses, empty at first. Called once per test; the test closes it. */
export type MakeCacheStore = () => CacheStore | Promise<CacheStore>

export interface CacheStoreTools {
  /** The `test` of the runner in use: vitest, Jest and node:test all fit. */
  readonly test: (title: string, run: () => Promise<void>) => unknown
}

/** What every `CacheStore` must keep, as one test each. Records expire by the real clock. */
export function testCacheStore(name: string, make: MakeCacheStore, { test }: CacheStoreTools): void {
  for (const [promise, check] of Object.entries({ ...records, ...leases, ...tags })) {
    test(`${name}: ${promise}`, async () => {
      const store = await make()
      await check(store).finally(() => store.close())
    })
  }
}

type Promises = Readonly<Record<string, (store: CacheStore) => Promise<void>>>

const longMs = 10_000
const granted = (record: string | null) => ({ isGranted: true, record })
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

const records: Promises = {
  async 'a record that was set is read until its time is over'(store) {
    equal(await store.get('key'), null)
    await store.set('key', 'one', longMs)
    equal(await store.get('key'), 'one')
    await store.set('key', 'two', 30)
    await pause(60)
    equal(await store.get('key'), null)
  },

  async 'what was invalidated is gone, and invalidating what is missing is fine'(store) {
    await store.set('key', 'one', longMs)
    await store.invalidate(['key', 'missing'], ['missing'])
    await store.invalidate([], [])
    equal(await store.get('key'), null)
  },

  async 'keys and tags are independent, whatever characters they are made of'(store) {
    const names = ['a', 'a}', '{a}', 'a:l', 'a}:l', 'a}:t', 'ключ', '🎈', 'a b\n"', 'constructor']
    for (const name of names) await store.set(name, `record of ${name}`, longMs)
    equal(new Set(await store.ensureEpochs(names, longMs)).size, names.length)
    for (const name of names) equal(await store.get(name), `record of ${name}`)

    await store.invalidate(['a'], ['a}'])
    for (const name of names) equal(await store.get(name), name === 'a' ? null : `record of ${name}`)
    const epochs = await store.epochs(names)
    deepEqual(
      names.filter((_, index) => epochs[index] === null),
      ['a}'],
    )
  },
}

const leases: Promises = {
  async 'a lease is granted to one at a time, and its fill is stored'(store) {
    deepEqual(await store.lease('key', 'a', longMs), granted(null))
    deepEqual(await store.lease('key', 'b', longMs), { isGranted: false })
    equal(await store.fill('key', 'a', 'loaded', longMs), true)
    equal(await store.get('key'), 'loaded')
    deepEqual(await store.lease('key', 'b', longMs), granted('loaded'))
  },

  async 'a fill whose key was invalidated after the lease is refused'(store) {
    await store.lease('key', 'a', longMs)
    await store.invalidate(['key'], [])
    equal(await store.fill('key', 'a', 'old', longMs), false)
    equal(await store.get('key'), null)
  },

  async 'a fill of a lease that passed to somebody else is refused'(store) {
    await store.lease('key', 'a', longMs)
    await store.invalidate(['key'], [])
    deepEqual(await store.lease('key', 'b', longMs), granted(null))
    equal(await store.fill('key', 'a', 'old', longMs), false)
    equal(await store.fill('key', 'b', 'new', longMs), true)
    equal(await store.get('key'), 'new')
  },

  async 'a value that was set is not overwritten by a load that began before'(store) {
    await store.lease('key', 'a', longMs)
    await store.set('key', 'new', longMs)
    equal(await store.fill('key', 'a', 'old', longMs), false)
    equal(await store.get('key'), 'new')
  },

  async 'a lease that is not renewed lapses; one that is renewed by its holder stays'(store) {
    await store.lease('lapsed', 'a', 30)
    await store.lease('renewed', 'a', 200)
    await store.renew('renewed', 'a', longMs)
    await store.renew('renewed', 'b', 1)
    await pause(250)
    equal(await store.fill('lapsed', 'a', 'late', longMs), false)
    equal(await store.fill('renewed', 'a', 'in time', longMs), true)
  },

  async 'a lease is released by its holder only'(store) {
    await store.lease('key', 'a', longMs)
    await store.release('key', 'b')
    deepEqual(await store.lease('key', 'b', longMs), { isGranted: false })
    await store.release('key', 'a')
    deepEqual(await store.lease('key', 'b', longMs), granted(null))
  },
}

const tags: Promises = {
  async 'a tag has no epoch until one is needed, keeps it, and never has it again once invalidated'(store) {
    deepEqual(await store.epochs(['x', 'y']), [null, null])
    const [x, y] = await store.ensureEpochs(['x', 'y'], longMs)
    notEqual(x, y)
    deepEqual(await store.ensureEpochs(['y', 'x'], longMs), [y, x])

    await store.invalidate([], ['x'])
    deepEqual(await store.epochs(['x', 'y']), [null, y])
    notEqual((await store.ensureEpochs(['x'], longMs))[0], x)
  },

  async 'an epoch lasts as long as whoever needs it longest'(store) {
    const epochs = await store.ensureEpochs(['tag'], 100)
    await store.ensureEpochs(['tag'], longMs)
    await pause(300)
    deepEqual(await store.epochs(['tag']), epochs)
  },
}
