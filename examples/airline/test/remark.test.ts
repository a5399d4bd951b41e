import { expect, test } from 'vitest'
import type { Figures } from '../demo/figures.ts'
import { remark } from '../demo/remark.ts'

const before: Figures = {
  rung: 2,
  folder: '2-session',
  adds: '',
  offeredPerSecond: 3_000,
  answeredPerSecond: 1_000,
  p50Ms: 100,
  p99Ms: 400,
  queriesPerRequest: 2,
  errorShare: 0.6,
  carts: { kept: 10, of: 10 },
  findings: [],
  deaths: [],
  machineBusy: 0.5,
  generatorCores: 0.3,
  generatorLagMs: 2,
  timeline: [],
}

test('a gain is told by its figures', () => {
  const now = { ...before, answeredPerSecond: 2_900, p99Ms: 40, queriesPerRequest: 0.4 }
  expect(remark(now, before)).toBe('requests/s × 2.9, p99 ÷ 10, queries per request ÷ 5.0')
})

test('what is within the noise of a short run is no gain', () => {
  const now = { ...before, answeredPerSecond: 1_050, p99Ms: 390 }
  expect(remark(now, before)).toBe('no gain in speed on this machine')
})

test('a loss is told, with the reason that shows', () => {
  const now = { ...before, answeredPerSecond: 800, machineBusy: 0.99 }
  expect(remark(now, before)).toBe(
    'no gain in speed on this machine: requests/s −20 %; all cores were busy (99 %)',
  )
})

test('where all is answered, more cannot be', () => {
  const calm = { ...before, errorShare: 0, answeredPerSecond: 3_000 }
  expect(remark(calm, calm)).toBe(
    'no gain in speed on this machine; all that is offered was answered already',
  )
})

test('a gain that costs something says what', () => {
  const now = { ...before, queriesPerRequest: 1, p99Ms: 700 }
  expect(remark(now, before)).toBe('queries per request ÷ 2.0, but p99 +75 %')
})

test('lost carts, dead workers and a late generator are told', () => {
  const now = {
    ...before,
    carts: { kept: 4, of: 10 },
    deaths: ['worker 7 was killed by SIGKILL'],
    generatorLagMs: 300,
  }
  const said = remark(now, before)
  expect(said).toContain('6 of 10 carts lost')
  expect(said).toContain('worker 7 was killed by SIGKILL')
  expect(said).toContain('it was the limit')
})

test('the first rung is held against what was offered, and nothing else', () => {
  expect(remark(before, undefined)).toBe('cannot keep up with what is offered: 60 % get no answer')
  expect(remark({ ...before, errorShare: 0 }, undefined)).toBe('')
})
