import { deepEqual, equal, notEqual } from 'node:assert/strict'
import type { CacheStore, Claimed } from '../src/store/store.ts'

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
const times = { leaseMs: longMs, epochsMs: longMs }
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Texts are easier to read in a test than bytes. */
const set = (store: CacheStore, key: string, text: string, forMs = longMs) =>
  setBytes(store, key, Buffer.from(text), forMs)
const fill = async (store: CacheStore, key: string, token: string, text: string) =>
  (await store.fill([{ key, token, record: Buffer.from(text), forMs: longMs }]))[0]

async function setBytes(store: CacheStore, key: string, record: Buffer, forMs = longMs): Promise<boolean> {
  await store.claim([{ key, token: 'set', isTaking: true }], [], times)
  return store.set({ key, token: 'set', record, forMs })
}

async function get(store: CacheStore, key: string): Promise<string | undefined> {
  return (await store.get([key]))[0]?.toString()
}

/** What the store holds, and whether the lease was granted. */
async function claim(store: CacheStore, key: string, token: string, isForced = false) {
  const { claimed } = await store.claim([{ key, token, isForced }], [], times)
  return plain(claimed)[0]
}

function plain(claimed: readonly Claimed[]): (readonly [record: string | undefined, isGranted: boolean])[] {
  return claimed.map(({ record, isGranted }) => [record?.toString(), isGranted])
}

async function ensureEpochs(store: CacheStore, tags: readonly string[], epochsMs = longMs) {
  return (await store.claim([], tags, { ...times, epochsMs })).epochs
}

const records: Promises = {
  async 'a record that was set is read until its time is over'(store) {
    equal(await get(store, 'key'), undefined)
    await set(store, 'key', 'one')
    equal(await get(store, 'key'), 'one')
    await set(store, 'key', 'two', 30)
    await pause(60)
    equal(await get(store, 'key'), undefined)
  },

  async 'records are bytes, whatever bytes they are'(store) {
    const record = Buffer.from([0, 255, 10, 13, 0, 128, 36, 195, 40])
    await setBytes(store, 'key', record)
    deepEqual(await store.get(['key']), [record])
    await store.claim([{ key: 'other', token: 'a' }], [], times)
    await store.fill([{ key: 'other', token: 'a', record, forMs: longMs }])
    deepEqual((await store.claim([{ key: 'other', token: 'b' }], [], times)).claimed, [
      { record, isGranted: false },
    ])
  },

  async 'many are answered in the order they were asked for'(store) {
    const keys = Array.from({ length: 128 }, (_, index) => `key ${index}`)
    for (const key of keys.slice(64)) await set(store, key, `record of ${key}`)
    const expected = keys.map((key, index) => (index < 64 ? undefined : `record of ${key}`))
    deepEqual(
      (await store.get(keys)).map((record) => record?.toString()),
      expected,
    )
    const claims = keys.map((key) => ({ key, token: `token of ${key}` }))
    deepEqual(
      plain((await store.claim(claims, [], times)).claimed),
      expected.map((record) => [record, record === undefined]),
    )
    const fills = claims.map((lease) => ({ ...lease, record: Buffer.from(`filled`), forMs: longMs }))
    deepEqual(
      await store.fill(fills),
      keys.map((_, index) => index < 64),
    )
    await store.invalidate({ keys, tags: [] })
    deepEqual(
      await store.get(keys),
      keys.map(() => null),
    )
    deepEqual(await store.get([]), [])
  },

  async 'more than one command could take is asked for, large or many'(store) {
    const record = Buffer.alloc(300_000, 'x')
    const keys = Array.from({ length: 300 }, (_, index) => `key ${index}`)
    await setBytes(store, 'large', record)
    // As words: whoever fails is told of hundreds of kilobytes, byte by byte, for minutes.
    const found = async (keys: readonly string[]) =>
      (await store.get(keys)).map((one) =>
        one === null ? 'none' : one.equals(record) ? 'all of it' : 'other',
      )
    for (let read = 0; read < 20; read++) {
      deepEqual(await found(['large', 'missing']), ['all of it', 'none'])
    }
    const claims = keys.map((key) => ({ key, token: 'a' }))
    const { claimed, epochs } = await store.claim(claims, ['x', 'y'], times)
    deepEqual(
      plain(claimed),
      keys.map(() => [undefined, true]),
    )
    deepEqual(await store.epochs(['x', 'y']), epochs)
    await store.renew(claims, longMs)
    await store.release(claims.slice(1))
    const fills = claims.map((lease) => ({ ...lease, record: record.subarray(0, 5_000), forMs: longMs }))
    const [first, ...others] = await store.fill(fills)
    equal(first, true)
    deepEqual([...new Set(others)], [false])
    await store.invalidate({ keys: [...keys, 'large'], tags: ['x', 'y'] })
    deepEqual(await found(['key 0', 'large']), ['none', 'none'])
    deepEqual(await store.epochs(['x', 'y']), [null, null])
  },

  async 'what was invalidated is gone, and invalidating what is missing is fine'(store) {
    await set(store, 'key', 'one')
    await store.invalidate({ keys: ['key', 'missing'], tags: ['missing'] })
    await store.invalidate({ keys: [], tags: [] })
    equal(await get(store, 'key'), undefined)
  },

  async 'keys and tags are independent, whatever characters they are made of'(store) {
    const names = ['a', 'a}', '{a}', 'a:l', 'a}:l', 'a}:t', 'ключ', '🎈', 'a b\n"', 'constructor']
    for (const name of names) await set(store, name, `record of ${name}`)
    equal(new Set(await ensureEpochs(store, names)).size, names.length)
    for (const name of names) equal(await get(store, name), `record of ${name}`)

    await store.invalidate({ keys: ['a'], tags: ['a}'] })
    for (const name of names) equal(await get(store, name), name === 'a' ? undefined : `record of ${name}`)
    const epochs = await store.epochs(names)
    deepEqual(
      names.filter((_, index) => epochs[index] === null),
      ['a}'],
    )
  },
}

const leases: Promises = {
  async 'a lease is granted to one at a time, where there is no record, and its fill is stored'(store) {
    deepEqual(await claim(store, 'key', 'a'), [undefined, true])
    deepEqual(await claim(store, 'key', 'b'), [undefined, false])
    equal(await fill(store, 'key', 'a', 'loaded'), true)
    equal(await get(store, 'key'), 'loaded')
    deepEqual(await claim(store, 'key', 'b'), ['loaded', false])
  },

  async 'a lease is granted beside a record to who insists, and to nobody else then'(store) {
    await set(store, 'key', 'old')
    deepEqual(await claim(store, 'key', 'a'), ['old', false])
    deepEqual(await claim(store, 'key', 'a', true), ['old', true])
    deepEqual(await claim(store, 'key', 'b', true), ['old', false])
    equal(await fill(store, 'key', 'a', 'new'), true)
    deepEqual(await claim(store, 'key', 'b', true), ['new', true])
  },

  async 'a fill whose key was invalidated after the lease is refused'(store) {
    await claim(store, 'key', 'a')
    await store.invalidate({ keys: ['key'], tags: [] })
    equal(await fill(store, 'key', 'a', 'old'), false)
    equal(await get(store, 'key'), undefined)
  },

  async 'a fill of a lease that passed to somebody else is refused'(store) {
    await claim(store, 'key', 'a')
    await store.invalidate({ keys: ['key'], tags: [] })
    deepEqual(await claim(store, 'key', 'b'), [undefined, true])
    equal(await fill(store, 'key', 'a', 'old'), false)
    equal(await fill(store, 'key', 'b', 'new'), true)
    equal(await get(store, 'key'), 'new')
  },

  async 'a value that was set is not overwritten by a load that began before'(store) {
    await claim(store, 'key', 'a')
    await set(store, 'key', 'new')
    equal(await fill(store, 'key', 'a', 'old'), false)
    equal(await get(store, 'key'), 'new')
  },

  async 'a set takes the lease from whoever loads, and an invalidation takes it from the set'(store) {
    await claim(store, 'key', 'a')
    equal(await setBytes(store, 'key', Buffer.from('given')), true)
    equal(await fill(store, 'key', 'a', 'loaded'), false)
    await store.claim([{ key: 'key', token: 'b', isTaking: true }], [], times)
    await store.invalidate({ keys: ['key'], tags: [] })
    equal(await store.set({ key: 'key', token: 'b', record: Buffer.from('late'), forMs: longMs }), false)
    equal(await get(store, 'key'), undefined)
  },

  async 'a lease that is not renewed lapses; one that is renewed by its holder stays'(store) {
    await store.claim([{ key: 'lapsed', token: 'a' }], [], { ...times, leaseMs: 30 })
    await store.claim([{ key: 'renewed', token: 'a' }], [], { ...times, leaseMs: 200 })
    await store.renew([{ key: 'renewed', token: 'a' }], longMs)
    await store.renew([{ key: 'renewed', token: 'b' }], 1)
    await pause(250)
    equal(await fill(store, 'lapsed', 'a', 'late'), false)
    equal(await fill(store, 'renewed', 'a', 'in time'), true)
  },

  async 'of two who want one key in one call, one has the lease'(store) {
    const both = ['a', 'b'].map((token) => ({ key: 'key', token }))
    const { claimed } = await store.claim(both, [], times)
    deepEqual(
      plain(claimed)
        .map(([, isGranted]) => isGranted)
        .toSorted(),
      [false, true],
    )
  },

  async 'after many hits, what is missing is granted in the same call'(store) {
    await set(store, 'here', 'one')
    for (let call = 0; call < 40; call++) deepEqual(await claim(store, 'here', 'a'), ['one', false])
    const claims = ['gone', 'here', 'gone too'].map((key) => ({ key, token: 'a' }))
    const expected = [
      [undefined, true],
      ['one', false],
      [undefined, true],
    ] as const
    deepEqual(plain((await store.claim(claims, [], times)).claimed), expected)
    equal(await fill(store, 'gone too', 'a', 'loaded'), true)
    const { claimed, epochs } = await store.claim([{ key: 'here', token: 'a' }], ['tag'], times)
    deepEqual(plain(claimed), [['one', false]])
    deepEqual(await store.epochs(['tag']), epochs)
  },

  async 'a lease is released by its holder only'(store) {
    await claim(store, 'key', 'a')
    await store.release([{ key: 'key', token: 'b' }])
    deepEqual(await claim(store, 'key', 'b'), [undefined, false])
    await store.release([{ key: 'key', token: 'a' }])
    deepEqual(await claim(store, 'key', 'b'), [undefined, true])
  },
}

const tags: Promises = {
  async 'a tag has no epoch until one is needed, keeps it, and never has it again once invalidated'(store) {
    deepEqual(await store.epochs(['x', 'y']), [null, null])
    const [x, y] = await ensureEpochs(store, ['x', 'y'])
    notEqual(x, y)
    deepEqual(await ensureEpochs(store, ['y', 'x']), [y, x])

    await store.invalidate({ keys: [], tags: ['x'] })
    deepEqual(await store.epochs(['x', 'y']), [null, y])
    notEqual((await ensureEpochs(store, ['x']))[0], x)
  },

  async 'an epoch lasts as long as whoever needs it longest, and is gone after that'(store) {
    const epochs = await ensureEpochs(store, ['tag'], 100)
    await ensureEpochs(store, ['tag'])
    const others = await ensureEpochs(store, ['other'])
    await ensureEpochs(store, ['other'], 100)
    await ensureEpochs(store, ['short'], 100)
    await pause(300)
    deepEqual(await store.epochs(['short']), [null])
    deepEqual(await store.epochs(['tag']), epochs)
    deepEqual(await store.epochs(['other']), others)
  },
}
