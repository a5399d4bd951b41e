import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { Deadlines } from '@stepladder/core'
import { FakeClock } from '@stepladder/core/testing'
import { expect, test } from 'vitest'

function setUp() {
  const clock = new FakeClock()
  return { clock, deadlines: new Deadlines(100, clock) }
}

const never = () => new Promise<never>(() => {})

test('what ends in time is handed on, and what fails fails as it did', async () => {
  const { deadlines } = setUp()
  const failure = new Error('as it was')

  expect(await deadlines.run('reading', async () => 'value')).toBe('value')
  await expect(deadlines.run('reading', () => Promise.reject(failure))).rejects.toBe(failure)
  const thrown = deadlines.run('reading', () => {
    throw failure
  })
  await expect(thrown).rejects.toBe(failure)
})

test('each operation has its own time, whichever began before it', async () => {
  const { clock, deadlines } = setUp()
  const ended: string[] = []
  const begin = (name: string) => deadlines.run(name, never).catch((failure) => ended.push(failure.message))

  begin('first')
  await clock.advance(60)
  begin('second')
  await clock.advance(39)
  expect(ended).toEqual([])
  await clock.advance(1)
  expect(ended).toEqual(['first did not end within 100 ms'])
  await clock.advance(60)
  expect(ended).toEqual(['first did not end within 100 ms', 'second did not end within 100 ms'])
})

test('a task can see that nobody waits for it any more', async () => {
  const { clock, deadlines } = setUp()
  const seen: boolean[] = []
  const asked = deadlines.run('writing', async (waited) => {
    seen.push(waited.isAbandoned)
    await new Promise<void>((resolve) => clock.after(150, resolve))
    seen.push(waited.isAbandoned)
  })
  const rejected = expect(asked).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', ms: 100 })

  await clock.advance(200)

  await rejected
  expect(seen).toEqual([false, true])
})

test('with nothing under way, no timer is left', async () => {
  const { clock, deadlines } = setUp()
  await deadlines.run('reading', async () => {})
  await clock.advance(100)

  expect(clock.waiting).toBe(0)
})

test('an answer that came in time counts, even where the process was too busy to read it', async () => {
  const deadlines = new Deadlines(50)
  const { port1, port2 } = new MessageChannel()
  const answered = deadlines.run('reading', async () => {
    port2.postMessage('in time')
    const [data] = await once(port1, 'message')
    return data
  })

  const busyUntil = performance.now() + 80
  while (performance.now() < busyUntil);

  expect(await answered).toBe('in time')
  port1.close()
})

test('time in which the process stood still is given back once, and then it is over', async () => {
  const deadlines = new Deadlines(50)
  const asked = deadlines.run('reading', never)
  const startedAt = performance.now()
  const busyUntil = startedAt + 80
  while (performance.now() < busyUntil);

  await expect(asked).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  // 80 ms late is 30 ms late for its end.
  expect(performance.now() - startedAt).toBeGreaterThan(105)
})
