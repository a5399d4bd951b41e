import { runInNewContext } from 'node:vm'
import { createCache } from '@stepladder/cache'
import { afterEach, expect, test, vi } from 'vitest'
import { chooseFreeze } from '../src/memory/freeze.ts'

afterEach(() => void vi.unstubAllEnvs())

function freeze<T>(value: T): T {
  chooseFreeze(true)?.(value)
  return value
}

test('a kept value cannot be changed anywhere, in development and in tests', () => {
  for (const environment of ['development', 'test']) {
    vi.stubEnv('NODE_ENV', environment)
    const flight = { id: 7, stops: [{ at: 'LAS' }], gates: new Map([['SFO', { number: 12 }]]) }
    chooseFreeze(undefined)?.(flight)
    expect(() => Object.assign(flight, { id: 8 })).toThrow(TypeError)
    expect(() => flight.stops.push({ at: 'SEA' })).toThrow(TypeError)
    expect(() => Object.assign(flight.stops[0]!, { at: 'SEA' })).toThrow(TypeError)
    expect(() => Object.assign(flight.gates.get('SFO')!, { number: 13 })).toThrow(TypeError)
  }
})

test('everywhere else there is nothing to call, and so nothing to pay', () => {
  for (const environment of ['production', 'staging', '', undefined]) {
    vi.stubEnv('NODE_ENV', environment)
    expect(chooseFreeze(undefined)).toBeUndefined()
  }
})

test('the option decides, whatever the environment is', () => {
  vi.stubEnv('NODE_ENV', 'production')
  expect(chooseFreeze(true)).toBeTypeOf('function')
  vi.stubEnv('NODE_ENV', 'development')
  expect(chooseFreeze(false)).toBeUndefined()
})

test('what has methods or a state of its own is left as it is', () => {
  class Money {
    cents = 990
    add(cents: number): void {
      this.cents += cents
    }
  }
  const value = freeze({
    price: new Money(),
    at: new Date(0),
    bytes: Buffer.from('abc'),
    seats: new Set([1]),
  })
  value.price.add(10)
  value.at.setTime(1)
  value.bytes[0] = 0
  value.seats.add(2)
  expect(value.price.cents).toBe(1_000)
})

test('an object of fields is frozen whoever made it: a class, nobody, another realm', () => {
  class Point {
    x = 1
  }
  const values = [new Point(), Object.create(null), runInNewContext('({ x: 1 })')]
  for (const value of freeze(values)) expect(Object.isFrozen(value)).toBe(true)
})

test('frozen parts are looked into, getters are not run, and neither cycles nor depth matter', () => {
  const inner = { x: 1 }
  freeze(Object.freeze({ inner }))
  expect(Object.isFrozen(inner)).toBe(true)

  const getter = {
    get never(): number {
      throw new Error('ran')
    },
  }
  expect(Object.isFrozen(freeze(getter))).toBe(true)

  const cycle: { self?: unknown } = {}
  cycle.self = { cycle }
  expect(Object.isFrozen(freeze(cycle).self)).toBe(true)

  const deepest = { x: 1 }
  let deep: object = deepest
  for (let level = 0; level < 50_000; level++) deep = { deep }
  freeze(deep)
  expect(Object.isFrozen(deepest)).toBe(true)
})

test('anything may be a value', () => {
  for (const value of [
    undefined,
    null,
    1,
    'text',
    1n,
    Symbol('x'),
    () => {},
    new Error('x'),
    new Uint8Array(4),
  ]) {
    expect(() => freeze(value)).not.toThrow()
  }
})

test('a cache freezes what it keeps, and hands out frozen', async () => {
  const cache = createCache({ name: 'frozen', ttl: '1m', embedded: true, freeze: true })
  const loaded = await cache.getOrSet('flight', async () => ({ stops: ['LAS'] }))
  expect(() => loaded.stops.push('SEA')).toThrow(TypeError)
  expect(await cache.get('flight')).toEqual({ stops: ['LAS'] })
  await cache.close()
})

test('without that, a caller who changes a value changes it for all', async () => {
  const cache = createCache({ name: 'thawed', ttl: '1m', embedded: true, freeze: false })
  const loaded = await cache.getOrSet('flight', async () => ({ stops: ['LAS'] }))
  loaded.stops.push('SEA')
  expect(await cache.get('flight')).toEqual({ stops: ['LAS', 'SEA'] })
  await cache.close()
})
