import { DeadlineExceededError, withDeadline } from '@stepladder/core'
import { FakeClock } from '@stepladder/core/testing'
import { expect, test } from 'vitest'

test('a task that hangs is given up, and told so through its signal', async () => {
  const clock = new FakeClock()
  let heard: AbortSignal | undefined
  const answer = withDeadline(
    'Asking Redis',
    250,
    (signal) => {
      heard = signal
      return new Promise(() => {})
    },
    clock,
  )
  const outcome = expect(answer).rejects.toThrow('Asking Redis did not end within 250 ms')
  await clock.advance(250)
  await outcome
  expect(heard?.reason).toBeInstanceOf(DeadlineExceededError)
})

test('a task in time is answered as if there were no deadline', async () => {
  expect(await withDeadline('Adding', 250, async () => 1 + 1)).toBe(2)
  await expect(withDeadline('Failing', 250, () => Promise.reject(new Error('own')))).rejects.toThrow('own')
})

test('a task that throws at once leaves no timer behind', async () => {
  const clock = new FakeClock()
  const throwing = () => {
    throw new Error('at once')
  }
  await expect(withDeadline('Throwing', 250, throwing, clock)).rejects.toThrow('at once')
  expect(clock.waiting).toBe(0)
})
