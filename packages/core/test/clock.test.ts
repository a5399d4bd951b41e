import { sleep, systemClock } from '@stepladder/core'
import { expect, test } from 'vitest'

test('a wait longer than timers know does not end at once', async () => {
  let isOver = false
  const timers = [2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY].map((ms) =>
    systemClock.after(ms, () => {
      isOver = true
    }),
  )
  await sleep(30)
  for (const timer of timers) timer.cancel()
  expect(isOver).toBe(false)
})

test('an aborted wait ends with the reason of its signal', async () => {
  const controller = new AbortController()
  const waiting = sleep(60_000, { signal: controller.signal })
  controller.abort(new Error('no longer needed'))
  await expect(waiting).rejects.toThrow('no longer needed')
})
