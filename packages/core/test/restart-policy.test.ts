import { expect, test } from 'vitest'
import { decideRestart } from '../src/cluster/restart-policy.ts'

const backoff = (attempt: number) => attempt * 100

test('a worker that served for long is replaced at once, whatever came before', () => {
  const decision = decideRestart(
    { livedMs: 60_000, youngDeaths: 9, othersLive: false, hasServed: false },
    backoff,
  )
  expect(decision).toEqual({ kind: 'restart', afterMs: 0 })
})

test('young deaths in a row wait longer and longer, and end it when nobody serves', () => {
  const after = (youngDeaths: number, others: { othersLive?: boolean; hasServed?: boolean } = {}) =>
    decideRestart({ livedMs: 10, youngDeaths, othersLive: false, hasServed: false, ...others }, backoff)
  expect([1, 2, 3, 4].map((deaths) => after(deaths))).toEqual([
    { kind: 'restart', afterMs: 0 },
    { kind: 'restart', afterMs: 100 },
    { kind: 'restart', afterMs: 200 },
    { kind: 'restart', afterMs: 300 },
  ])
  expect(after(5).kind).toBe('give-up')
  expect(after(50, { othersLive: true }).kind).toBe('restart')
  expect(after(50, { hasServed: true }).kind).toBe('restart')
})
