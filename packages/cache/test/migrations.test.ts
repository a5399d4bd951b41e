import { type Cache, createCache, keyvStore, memoize } from '@stepladder/cache'
import { MemoryStore } from '@stepladder/cache/testing'
import { sleep } from '@stepladder/core'
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { createCache as createManager } from 'cache-manager'
import { Keyv } from 'keyv'
import { LRUCache } from 'lru-cache'
import { describe, expect, test } from 'vitest'

/** What the guides on moving here say of the others, and of this cache beside them. */

/** A database row whose read is under way: it was read as it is, and answers later. */
function rowUnderRead() {
  const row = { now: 'old' }
  const asked = Promise.withResolvers<void>()
  const answers = Promise.withResolvers<void>()
  const read = async () => {
    const found = row.now
    asked.resolve()
    await answers.promise
    return found
  }
  return { row, read, answer: () => answers.resolve(), asked: asked.promise }
}

/** A load is under way, the row changes and is invalidated; what was asked for and after is told. */
async function overtake(
  load: (read: () => Promise<string>) => Promise<unknown>,
  invalidate: () => Promise<unknown>,
): Promise<{ askedAfter: unknown; later: unknown }> {
  const { row, read, answer, asked } = rowUnderRead()
  const before = load(read)
  await asked
  row.now = 'new'
  await invalidate()
  const after = load(read)
  // A new load, if there is one, begins, and who compares times sees that some has passed.
  await sleep(20)
  answer()
  await before
  return { askedAfter: await after, later: await load(async () => row.now) }
}

const ours = () => createCache({ name: 'ours', ttl: '1m' })
const bento = (options: { grace?: string } = {}) =>
  new BentoCache({
    default: 'app',
    ttl: '1m',
    ...options,
    stores: { app: bentostore().useL1Layer(memoryDriver({ maxItems: 100 })) },
  })

describe('an invalidation during a load', () => {
  test('cache-manager serves what it loaded before, to who asked after, too', async () => {
    const cache = createManager()
    const ended = await overtake(
      (read) => cache.wrap('key', read, 60_000),
      () => cache.del('key'),
    )
    expect(ended).toEqual({ askedAfter: 'old', later: 'old' })
  })

  test('bentocache serves what it loaded before, by key and by tag', async () => {
    const byKey = bento()
    const load = (cache: typeof byKey) => (read: () => Promise<string>) =>
      cache.getOrSet({ key: 'key', factory: read, tags: ['tag'] })
    expect(await overtake(load(byKey), () => byKey.delete({ key: 'key' }))).toMatchObject({ later: 'old' })
    const byTag = bento()
    expect(await overtake(load(byTag), () => byTag.deleteByTag({ tags: ['tag'] }))).toMatchObject({
      later: 'old',
    })
  })

  test('an LRU keeps what was read before and set after; local does not', async () => {
    const lru = new LRUCache<string, string>({ max: 10 })
    const { local } = ours()
    for (const cache of [lru, local]) {
      cache.get('key')
      const read = 'old'
      cache.delete('key')
      cache.set('key', read)
    }
    expect([lru.get('key'), local.get('key')]).toEqual(['old', undefined])
  })

  test('here it is stored nowhere, and who asks after gets a new load: by key, by tag, memoized', async () => {
    const load = (cache: Cache) => (read: () => Promise<string>) =>
      cache.getOrSet('key', read, { tags: ['tag'] })
    const [byKey, byTag, byAll] = [ours(), ours(), ours()]
    const isNew = { askedAfter: 'new', later: 'new' }
    expect(await overtake(load(byKey), () => byKey.delete('key'))).toEqual(isNew)
    expect(await overtake(load(byTag), () => byTag.invalidate({ tags: ['tag'] }))).toEqual(isNew)
    expect(await overtake(load(byAll), () => byAll.clear())).toEqual(isNew)
    let current: (() => Promise<string>) | undefined
    const memoized = memoize(async () => current?.(), { cache: ours(), name: 'row' })
    const loadMemoized = (read: () => Promise<string>) => {
      current = read
      return memoized()
    }
    expect(await overtake(loadMemoized, () => memoized.invalidate())).toEqual({
      askedAfter: 'new',
      later: 'new',
    })
  })
})

describe('cache-manager', () => {
  /** A Keyv whose storage is away. */
  function broken() {
    const away = () => Promise.reject(new Error('away'))
    const keyv = new Keyv({ store: { get: away, set: away, delete: away, clear: away } })
    keyv.on('error', () => {})
    return createManager({ stores: [keyv] })
  }

  test('set and del resolve as if all was well when the store fails', async () => {
    expect(await broken().set('key', 'value')).toBe('value')
    expect(await broken().del('key')).toBe(true)
  })

  test('wrap calls its function again for undefined; getOrSet does not', async () => {
    let [theirs, mine] = [0, 0]
    const manager = createManager()
    const cache = ours()
    for (let round = 0; round < 2; round++) {
      await manager.wrap('key', () => void theirs++, 60_000)
      await cache.getOrSet('key', () => void mine++)
    }
    expect([theirs, mine]).toEqual([2, 1])
  })

  test('its memory keeps every entry, also those that are over', async () => {
    const kept = new Map<string, unknown>()
    const manager = createManager({ stores: [new Keyv({ store: kept })] })
    for (let index = 0; index < 20_000; index++) await manager.set(`${index}`, index, 1)
    expect(kept.size).toBe(20_000)
  })

  test('two of them over one store load once each', async () => {
    const store = new Map()
    const managers = [1, 2].map(() => createManager({ stores: [new Keyv({ store })] }))
    let loads = 0
    const load = async () => {
      await new Promise(setImmediate)
      return ++loads
    }
    await Promise.all(managers.map((manager) => manager.wrap('key', load, 60_000)))
    expect(loads).toBe(2)
  })
})

describe('bentocache', () => {
  test('each caller of a failing factory runs it, one after the other; here one failure answers all', async () => {
    let [theirs, mine] = [0, 0]
    const fail = (count: () => void) => async () => {
      count()
      await new Promise(setImmediate)
      throw new Error('down')
    }
    const [cache, other] = [bento(), ours()]
    const callers = Array.from({ length: 5 })
    await Promise.allSettled(
      callers.map(() => cache.getOrSet({ key: 'key', factory: fail(() => void theirs++) })),
    )
    await Promise.allSettled(
      callers.map(() =>
        other.getOrSet(
          'key',
          fail(() => void mine++),
        ),
      ),
    )
    expect([theirs, mine]).toEqual([5, 1])
  })

  test('a delete that Redis has not heard is true there, and queued here', async () => {
    const away = () => Promise.reject(new Error('away'))
    const driver = { type: 'l2', namespace: () => driver, get: away, set: away, delete: away, clear: away }
    const layer = { options: {}, factory: () => driver as never }
    const cache = new BentoCache({
      default: 'app',
      stores: { app: bentostore().useL1Layer(memoryDriver({})).useL2Layer(layer) },
    })
    expect(await cache.delete({ key: 'key' })).toBe(true)
    const store = Object.assign(new MemoryStore(), { invalidate: away })
    expect(await createCache({ name: 'mine', ttl: '1m', store }).delete('key')).toBe('queued')
  })

  test('undefined makes getOrSet throw there, and is a value here', async () => {
    await expect(bento().getOrSet({ key: 'key', factory: () => undefined })).rejects.toThrow()
    expect(await ours().getOrSet('key', () => undefined)).toBeUndefined()
  })

  test('with grace and timeout 0, an old value is handed out at once there; softTimeout: 1 is nearest here', async () => {
    const theirs = bento({ grace: '1h' })
    const mine = createCache({ name: 'mine', ttl: '1m', jitter: 0, grace: '1h', softTimeout: 1 })
    await theirs.set({ key: 'key', value: 'old', ttl: 1 })
    await mine.set('key', 'old', { ttl: 1 })
    await sleep(20)
    const row = Promise.withResolvers<string>()
    expect(await theirs.getOrSet({ key: 'key', factory: () => row.promise })).toBe('old')
    expect(await mine.getOrSet('key', () => row.promise)).toBe('old')
    row.resolve('new')
    await expect.poll(() => theirs.get({ key: 'key' })).toBe('new')
    await expect.poll(() => mine.get('key')).toBe('new')
  })
})

test('Keyv over this cache is the step between: the calls stay, and the processes are coherent', async () => {
  const cache = ours()
  const keyv = new Keyv({ store: keyvStore(cache) })
  await keyv.set('key', 'value')
  await cache.clear()
  expect(await keyv.get('key')).toBeUndefined()
})
