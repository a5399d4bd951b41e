import { type CacheOptions, createCache, memoize } from '@stepladder/cache'
import { MemoryStore } from '@stepladder/cache/testing'
import { describe, expect, test } from 'vitest'
import { setUp } from './set-up.ts'

const load = async (one: { readonly id: number }) => one.id
const key = (one: { readonly id: number }) => `one:${one.id}`

describe('a function takes the place of another in how it fails, too:', () => {
  test('what its key, its tags and its loader throw is what its promise rejects with', async () => {
    const { cache } = setUp()
    const missing = undefined as never // as a caller in JavaScript forgets it
    const one = cache.define({ load, key })
    const tagged = cache.define({ load, key: () => 'tagged', tags: ({ id }) => [`tag:${id}`] })
    const many = cache.defineMany({
      loadMany: (all: readonly { readonly id: number }[]) => all.map(({ id }) => id),
      key,
    })
    const calls = [
      ...[() => one(missing), () => one.invalidate(missing), () => tagged(missing)],
      ...[() => many([missing]), () => many.invalidate(missing)],
    ]
    for (const call of calls) await expect(call()).rejects.toThrow(TypeError)
    expect(await one({ id: 1 })).toBe(1)
  })
})

describe('what is wrong with a definition is said where it is made:', () => {
  const { cache } = setUp()
  const named = async function named() {}

  test.each<[option: string, make: () => unknown]>([
    ['load', () => cache.define({ key } as never)],
    ['key', () => cache.define({ load } as never)],
    ['key', () => cache.define({ load, key: 'one' } as never)],
    ['ttl', () => cache.define({ load, key, ttl: -1 })],
    ['tll', () => cache.define({ load, key, tll: '1m' } as never)],
    ['refreshAhead', () => cache.namespace('part').define({ load, key, refreshAhead: 2 })],
    ['loadMany', () => cache.defineMany({ key } as never)],
    ['key', () => cache.defineMany({ loadMany: () => [] } as never)],
    ['grace', () => cache.defineMany({ loadMany: () => [], key, grace: 'long' as never })],
    ['fn', () => memoize(undefined as never, { cache })],
    ['cache', () => memoize(named, {} as never)],
    ['key', () => memoize(named, { cache, key: 'one' } as never)],
    ['ttl', () => memoize(named, { cache, ttl: 0 })],
  ])('%s', (option, make) => {
    expect(make).toThrow(`"${option}"`)
  })

  test('a tag', () => {
    const wrong = expect.objectContaining({ code: 'INVALID_KEY' })
    expect(() => cache.define({ load, key, tags: [''] })).toThrow(wrong)
    expect(() => memoize(named, { cache, tags: 'all' } as never)).toThrow(wrong)
  })
})

test('a cache that keeps nothing in Redis refuses what one that does would refuse', () => {
  const wrong: CacheOptions = { name: 'users', ttl: '1m', encrypt: { keys: [] } }
  expect(() => createCache({ ...wrong, store: new MemoryStore() })).toThrow('encrypt.keys')
  expect(() => createCache(wrong)).toThrow('encrypt.keys')
})
