import { FakeClock } from '@stepladder/core/testing'
import { expect, test } from 'vitest'
import type { ProcessVitals } from '../src/link/vitals.ts'
import { VitalSigns } from '../src/watch/vital-signs.ts'

const vitals = (changes: Partial<ProcessVitals> = {}): ProcessVitals => ({
  rssBytes: 100,
  heapUsedBytes: 10,
  heapTotalBytes: 20,
  externalBytes: 1,
  cpu: { userSeconds: 1, systemSeconds: 2 },
  gc: { minor: { runs: 1, seconds: 0.5 } },
  loopUtilization: 0.5,
  loopDelay: { p50Seconds: 0.001, p99Seconds: 0.002, maxSeconds: 0.003 },
  requests: 7,
  connections: 3,
  ...changes,
})

function setUp() {
  const clock = new FakeClock()
  const signs = new VitalSigns<{ readonly instance: number }>(clock)
  const value = (name: string, labels: Record<string, string>) =>
    signs
      .snapshots()
      .flatMap(
        (snapshot) => snapshot.find((metric) => metric.name === `stepladder_worker_${name}`)?.values ?? [],
      )
      .filter((sample) => Object.entries(labels).every(([label, text]) => sample.labels[label] === text))
      .map((sample) => sample.value)
  return { clock, signs, value }
}

test('what a dead worker had counted is kept under its place, what it held is not', () => {
  const { signs, value } = setUp()
  const [first, second] = [{ instance: 0 }, { instance: 0 }]
  signs.hear(first, vitals())
  signs.leave(first)
  signs.hear(second, vitals())
  signs.leave(second)
  expect(value('requests_total', { worker: '0' })).toEqual([14])
  expect(value('gc_seconds_total', { worker: '0', kind: 'minor' })).toEqual([1])
  expect(value('resident_memory_bytes', { worker: '0' })).toEqual([])
})

test('a delay between two scrapes is seen, for fifteen seconds', () => {
  const { signs, value } = setUp()
  const worker = { instance: 1 }
  signs.hear(worker, vitals({ loopDelay: { p50Seconds: 0.001, p99Seconds: 2, maxSeconds: 3 } }))
  for (let heartbeat = 0; heartbeat < 29; heartbeat++) signs.hear(worker, vitals())
  const delay = (quantile: string) => value('event_loop_delay_seconds', { worker: '1', quantile })
  expect([delay('0.5'), delay('0.99'), delay('1')]).toEqual([[0.001], [2], [3]])
  signs.hear(worker, vitals())
  expect([delay('0.5'), delay('0.99'), delay('1')]).toEqual([[0.001], [0.002], [0.003]])
})

test('a worker is stale when nothing was heard of it for more than a second', async () => {
  const { clock, signs } = setUp()
  const worker = { instance: 0 }
  expect(signs.countStale()).toBe(0)
  signs.hear(worker, undefined)
  await clock.advance(1_000)
  expect(signs.countStale()).toBe(0)
  await clock.advance(1)
  expect(signs.countStale()).toBe(1)
  signs.hear(worker, undefined)
  expect(signs.countStale()).toBe(0)
})
