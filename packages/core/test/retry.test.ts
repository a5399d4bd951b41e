import { exponentialBackoff, retry } from '@stepladder/core'
import { FakeClock } from '@stepladder/core/testing'
import { expect, test } from 'vitest'

test('a task that fails twice is answered at the third try', async () => {
  const clock = new FakeClock()
  const answer = retry(async (attempt) => (attempt < 3 ? Promise.reject(new Error('not yet')) : attempt), {
    clock,
  })
  await clock.advance(1_000)
  expect(await answer).toBe(3)
})

test('the last failure is what the caller gets', async () => {
  const clock = new FakeClock()
  const answer = retry((attempt) => Promise.reject(new Error(`failure ${attempt}`)), { attempts: 2, clock })
  const outcome = expect(answer).rejects.toThrow('failure 2')
  await clock.advance(1_000)
  await outcome
})

test('an abort ends the waiting at once, with its reason', async () => {
  const clock = new FakeClock()
  const controller = new AbortController()
  const answer = retry(() => Promise.reject(new Error('down')), {
    attempts: Number.POSITIVE_INFINITY,
    signal: controller.signal,
    clock,
  })
  const outcome = expect(answer).rejects.toThrow('shutting down')
  await clock.advance(10)
  controller.abort(new Error('shutting down'))
  await outcome
})

test('a failure that is not worth a retry is not retried', async () => {
  let tries = 0
  const answer = retry(
    () => {
      tries++
      return Promise.reject(new Error('no such table'))
    },
    { retryIf: () => false },
  )
  await expect(answer).rejects.toThrow('no such table')
  expect(tries).toBe(1)
})

test('waits double up to their ceiling, spread over the upper half', () => {
  const shortest = exponentialBackoff({ baseMs: 100, maxMs: 300, random: () => 0 })
  const longest = exponentialBackoff({ baseMs: 100, maxMs: 300, random: () => 1 })
  expect([1, 2, 3].map(shortest)).toEqual([50, 100, 150])
  expect([1, 2, 3].map(longest)).toEqual([100, 200, 300])
})
