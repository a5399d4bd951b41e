import { seededRandom, seeds } from '@stepladder/core/testing'
import { describe, expect, test } from 'vitest'
import type { MetricSnapshot } from '../src/link/messages.ts'
import { withExactSums } from '../src/metrics/exact-snapshots.ts'
import { ExactSum } from '../src/metrics/exact-sum.ts'
import { MetricsLedger } from '../src/metrics/metrics-ledger.ts'

function metric(type: string, ...samples: [value: number, metricName?: string][]): MetricSnapshot {
  const values = samples.map(([value, metricName]) => ({
    value,
    labels: {},
    ...(metricName && { metricName }),
  }))
  return { name: type, help: '', type, aggregator: 'sum', values }
}

/** What a client makes of the snapshots: plain addition in their order. */
function total(snapshots: readonly MetricSnapshot[][]): number {
  return snapshots
    .flat()
    .reduce((sum, { values }) => values.reduce((s, { value }) => s + Number(value), sum), 0)
}

/** Numbers with as many digits as there can be: those of the generator have 32 bits, whose sums are exact. */
function manyDigits(seed: number): () => number {
  const random = seededRandom(seed)
  return () => random() / 3
}

function sumOf(...values: readonly number[]): number {
  const sum = new ExactSum()
  for (const value of values) sum.add(value)
  return sum.rounded()
}

test('only what never falls is kept of the dead', () => {
  const ledger = new MetricsLedger<string>()
  const of = (counted: number, summed: number) => [
    metric('counter', [counted]),
    metric('gauge', [3]),
    metric('summary', [0.5], [summed, 'summary_sum']),
  ]
  ledger.keep('first', { id: 1, snapshot: of(2, 4) })
  ledger.keep('second', { id: 1, snapshot: of(5, 6) })
  ledger.retire('first')
  ledger.retire('second')
  expect(ledger.snapshots()).toEqual([[metric('counter', [7]), metric('summary', [10, 'summary_sum'])]])
})

describe.each(seeds(5))('with seed %i', (seed) => {
  test('a sum with fractions is the same to the last digit, whoever has died in which order', () => {
    const random = manyDigits(seed)
    for (let round = 0; round < 50; round++) {
      const ledger = new MetricsLedger<number>()
      const living = new Set<number>()
      for (let worker = 0; worker < 12; worker++) {
        living.add(worker)
        ledger.keep(worker, { id: 1, snapshot: [metric('counter', [random() * 10 ** (random() * 6)])] })
        if (random() < 0.6) {
          const before = total(withExactSums(ledger.snapshots()))
          const victim = [...living][Math.floor(random() * living.size)]!
          living.delete(victim)
          ledger.retire(victim)
          expect(total(withExactSums(ledger.snapshots()))).toBe(before)
        }
      }
    }
  })

  test('control: plain sums of the same numbers, grouped otherwise, are not the same', () => {
    const random = manyDigits(seed)
    let differing = 0
    for (let round = 0; round < 200; round++) {
      const [a, b, c] = [random(), random(), random()]
      if (a + b + c !== a + c + b) differing += 1
      expect(sumOf(a, b, c)).toBe(sumOf(c, a, b))
    }
    expect(differing).toBeGreaterThan(0)
  })
})

test('sums are exact where plain ones are not', () => {
  expect(sumOf(...Array.from({ length: 10 }, () => 0.1))).toBe(1)
  expect(sumOf(1e100, 1, -1e100)).toBe(1)
  expect(sumOf(1, 2 ** -53, 2 ** -106)).toBe(1 + 2 ** -52)
  expect(sumOf()).toBe(0)
  expect(sumOf(1, Infinity, 2)).toBe(Infinity)
  expect(sumOf(1, Number.NaN)).toBeNaN()
})

test('a counter that an app has aggregated in another way is left alone', () => {
  const greatest: MetricSnapshot = { ...metric('counter', [0.25]), aggregator: 'max' }
  const snapshots = [[greatest], [greatest]]
  expect(withExactSums(snapshots)).toEqual(snapshots)
})
