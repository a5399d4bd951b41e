import { FakeClock } from '@stepladder/core/testing'
import { expect, test, vi } from 'vitest'
import { ReadinessCheck } from '../src/health/readiness-check.ts'

function setUp(answer: (signal: AbortSignal) => unknown) {
  const clock = new FakeClock()
  const ask = vi.fn(answer)
  return { clock, ask, check: new ReadinessCheck('database', ask, clock) }
}

test('a check is called once a second, however many look', async () => {
  const { clock, ask, check } = setUp(async () => 1)
  await Promise.all(Array.from({ length: 100 }, () => check.look()))
  await clock.advance(999)
  await check.look()
  expect(ask).toHaveBeenCalledTimes(1)
  await clock.advance(1)
  expect(await check.look()).toMatchObject({ status: 'ok' })
  expect(ask).toHaveBeenCalledTimes(2)
})

test.each([
  ['throws', () => bad('EBAD', 'at once'), 'EBAD', 'at once'],
  ['rejects', async () => bad('ECONNREFUSED', 'nobody there'), 'ECONNREFUSED', 'nobody there'],
  ['has no message', async () => bad('ECONNREFUSED', ''), 'ECONNREFUSED', 'ECONNREFUSED'],
  ['answers false', async () => false, 'ANSWERED_FALSE', 'it answered false'],
  ['throws no error', () => Promise.reject('oh'), 'FAILED', 'oh'],
  [
    'tells a secret',
    async () => bad('no code', 'redis://ada:pw@db is gone'),
    'FAILED',
    'redis://***@db is gone',
  ],
])('a check that %s fails', async (_how, answer, code, reason) => {
  expect(await setUp(answer).check.look()).toMatchObject({ status: 'failing', code, reason })
})

test('a check that hangs fails after two seconds and hears so, and is not called again while it hangs', async () => {
  const signals: AbortSignal[] = []
  const { clock, ask, check } = setUp((signal) => {
    signals.push(signal)
    return new Promise(() => {})
  })
  const first = check.look()
  await clock.advance(2_000)
  expect(await first).toMatchObject({
    status: 'failing',
    code: 'TIMEOUT',
    reason: 'it did not end within 2000 ms',
  })
  expect(signals[0]?.aborted).toBe(true)

  await clock.advance(5_000)
  expect(await check.look()).toMatchObject({ status: 'failing' })
  expect(ask).toHaveBeenCalledTimes(1)
})

test('a call that never ended does not keep the check failing for ever', async () => {
  let isStuck = true
  const { clock, check } = setUp(() => (isStuck ? new Promise(() => {}) : 1))
  const first = check.look()
  await clock.advance(2_000)
  await first
  isStuck = false
  await clock.advance(8_000)
  expect(await check.look()).toMatchObject({ status: 'ok' })
})

test('a check that answers late is called again', async () => {
  const answers: (() => void)[] = []
  const { clock, ask, check } = setUp(() => new Promise<void>((resolve) => answers.push(resolve)))
  const first = check.look()
  await clock.advance(2_000)
  await first
  answers[0]?.()
  await clock.advance(0)
  const second = check.look()
  expect(ask).toHaveBeenCalledTimes(2)
  answers[1]?.()
  expect(await second).toMatchObject({ status: 'ok' })
})

function bad(code: string, message: string): never {
  throw Object.assign(new Error(message), { code })
}
