import { FakeClock } from '@stepladder/core/testing'
import { expect, test } from 'vitest'
import { Silence } from '../src/link/silence.ts'
import { HangWatch, type Suspect } from '../src/watch/hang-watch.ts'

function setUp(isStopped = false) {
  const clock = new FakeClock()
  const replaced: number[] = []
  const lines: string[] = []
  const watch = new HangWatch<Suspect>({
    hangMs: 1_500,
    onHang: ({ pid }) => replaced.push(pid!),
    log: (line) => lines.push(line),
    clock,
    backoff: (attempt) => attempt * 10_000,
    isStopped: () => isStopped,
  })
  const worker = (state: Suspect['state'] = 'serving', livedMs = 60_000): Suspect => {
    const made = { instance: 0, pid: 1, state, livedMs, lastWords: undefined }
    watch.join(made)
    return made
  }
  return { clock, replaced, lines, watch, worker }
}

test('it takes the hang and a heartbeat more of silence', async () => {
  const { clock, replaced, watch, worker } = setUp()
  watch.hear(worker(), true)
  await clock.advance(1_950)
  expect(replaced).toEqual([])
  await clock.advance(400)
  expect(replaced).toEqual([1])
})

test.each([false, true])('it takes the hang alone where its process is stopped: %s', async (isStopped) => {
  const { clock, replaced, watch, worker } = setUp(isStopped)
  const suspect = worker()
  watch.hear(suspect, true)
  // What it said just before was heard a look later at most.
  await clock.advance(1_500)
  expect(replaced).toEqual([])
  await clock.advance(200)
  expect(replaced).toEqual(isStopped ? [1] : [])
  await clock.advance(60_000)
  expect(replaced).toEqual([1])
})

test.each([
  ['does not serve yet', 'starting', true],
  ['drains', 'draining', true],
  ['is not watched, as at a breakpoint or in a heap snapshot', 'serving', false],
] as const)('a worker that %s is left alone', async (_, state, isWatched) => {
  const { clock, replaced, watch, worker } = setUp()
  watch.hear(worker(state), isWatched)
  await clock.advance(60_000)
  expect(replaced).toEqual([])
})

test('a worker that was never heard of is left alone', async () => {
  const { clock, replaced, worker } = setUp()
  worker()
  await clock.advance(60_000)
  expect(replaced).toEqual([])
})

test('hangs soon after the start are answered ever later, and one after a long life at once', async () => {
  const { clock, lines, watch, worker } = setUp()
  for (const livedMs of [2_000, 2_000, 2_000, 60_000]) {
    watch.hear(worker('serving', livedMs), true)
    await clock.advance(2_500)
  }
  const when = lines.map((line) => line.replace(/.*replacing it /, ''))
  expect(when).toEqual(['now', 'in 10.0 s', 'in 20.0 s', 'now'])
})

test('one that runs again before its turn came is not replaced', async () => {
  const { clock, replaced, watch, worker } = setUp()
  for (const livedMs of [2_000, 2_000]) {
    const suspect = worker('serving', livedMs)
    watch.hear(suspect, true)
    await clock.advance(2_500)
    watch.hear(suspect, true)
    watch.leave(suspect)
  }
  await clock.advance(60_000)
  expect(replaced).toEqual([1])
})

test('a listener that was kept from listening, or a machine that slept, takes that for no silence', async () => {
  class SleepyClock extends FakeClock {
    sleptMs = 0
    override monotonic() {
      return super.monotonic() + this.sleptMs
    }
  }
  const clock = new SleepyClock()
  const silence = new Silence(250, clock)
  await clock.advance(250)
  expect(silence.look(false)).toBe(250)
  clock.sleptMs += 3_600_000
  expect(silence.look(false)).toBe(750)
  expect(silence.look(true)).toBe(0)
})
