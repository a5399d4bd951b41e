import { setImmediate } from 'node:timers/promises'
import { ignoreReports, systemClock } from '@stepladder/core'
import { FakeClock } from '@stepladder/core/testing'
import { expect, test } from 'vitest'
import { Turn } from '../src/memory/turn.ts'

test('each turn of the event loop sees the time it has', async () => {
  const time = new Turn(systemClock, ignoreReports)
  for (let turn = 0; turn < 20; turn++) {
    const before = performance.now()
    expect(time.now()).toBeGreaterThanOrEqual(before)
    await setImmediate()
  }
})

test('in a turn that lasts, a moment is for 32 reads', () => {
  const time = new Turn(systemClock, ignoreReports)
  const moments: number[] = []
  for (let read = 0; read < 96; read++) {
    moments.push(time.now())
    const until = performance.now() + 1
    while (performance.now() < until);
  }
  expect(new Set(moments).size).toBe(3)
  for (const first of [0, 32, 64]) expect(new Set(moments.slice(first, first + 32)).size).toBe(1)
})

test('a clock that a test moves is read each time', async () => {
  const clock = new FakeClock()
  const time = new Turn(clock, ignoreReports)
  const before = time.now()
  await clock.advance(5)
  expect(time.now()).toBe(before + 5)
})
