import { sleep, systemClock } from '@stepladder/core'
import { FakeClock } from '@stepladder/core/testing'
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

test('a fake clock moves when told to: what waits runs in its order, and promises settle in between', async () => {
  const clock = new FakeClock()
  const ran: string[] = []
  clock.after(20, () => ran.push('second'))
  clock.after(10, () => {
    ran.push('first')
    void sleep(5, { clock }).then(() => ran.push('begun by the first'))
  })
  clock.after(15, () => ran.push('never')).cancel()
  await clock.advance(9)
  expect(ran).toEqual([])
  await clock.advance(100)
  expect(ran).toEqual(['first', 'begun by the first', 'second'])
  expect(clock.waiting).toBe(0)
})

test('the wall of a fake clock jumps; what is measured and what waits take no notice', async () => {
  const clock = new FakeClock()
  const [wall, start] = [clock.now(), clock.monotonic()]
  let hasRun = false
  clock.after(1_000, () => {
    hasRun = true
  })
  clock.jump(-3_600_000)
  expect([clock.now() - wall, clock.monotonic() - start, hasRun]).toEqual([-3_600_000, 0, false])
  await clock.advance(1_000)
  expect([clock.now() - wall, clock.monotonic() - start, hasRun]).toEqual([-3_599_000, 1_000, true])
})
