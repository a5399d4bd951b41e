import { AsyncLocalStorage } from 'node:async_hooks'
import { type ChannelListener, channel, tracingChannel } from 'node:diagnostics_channel'
import { setTimeout as wait } from 'node:timers/promises'
import { begin, ignoreReports, inside, isHeard, type OperationTrace, withDeadline } from '@stepladder/core'
import { FakeClock, RecordedReports } from '@stepladder/core/testing'
import { expect, onTestFinished, test } from 'vitest'

const subject = { component: 'cache', name: 'users', operation: 'get' }
const events = ['start', 'end', 'error', 'asyncStart', 'asyncEnd'] as const

/** Hears each event as a tracer does; the object itself is kept beside a copy of what it said then. */
function subscribe(): { heard: [event: string, trace: OperationTrace][]; traces: Set<OperationTrace> } {
  const heard: [string, OperationTrace][] = []
  const traces = new Set<OperationTrace>()
  for (const event of events) {
    const listener: ChannelListener = (message) => {
      // The page of reference says what the channel carries.
      const trace = message as OperationTrace
      heard.push([event, { ...trace }])
      traces.add(trace)
    }
    channel(`tracing:stepladder.operation:${event}`).subscribe(listener)
    onTestFinished(() => void channel(`tracing:stepladder.operation:${event}`).unsubscribe(listener))
  }
  return { heard, traces }
}

test('a subscriber hears each operation as of a function that returns a promise, without any reporter', async () => {
  const { heard, traces } = subscribe()
  const clock = new FakeClock()
  expect(isHeard(ignoreReports)).toBe(true)
  const end = begin(subject, ignoreReports, clock)
  await clock.advance(12)
  end('hit')
  expect(heard).toEqual([
    ['start', subject],
    ['end', subject],
    ['asyncStart', { ...subject, outcome: 'hit', ms: 12 }],
    ['asyncEnd', { ...subject, outcome: 'hit', ms: 12 }],
  ])
  expect(traces.size).toBe(1)
})

test('a failure is an error; a cause that was survived is told without one', () => {
  const { heard } = subscribe()
  const cause = new Error('no database')
  const { report, all } = new RecordedReports()
  begin(subject, report)('failed', cause)
  begin(subject, report)('stale', cause)
  expect(heard.filter(([event]) => event === 'error').map(([, { outcome }]) => outcome)).toEqual(['failed'])
  expect(heard.filter(([event]) => event === 'asyncEnd').map(([, { error }]) => error)).toEqual([
    cause,
    undefined,
  ])
  expect(heard.every(([event, trace]) => event !== 'asyncEnd' || trace.cause === cause)).toBe(true)
  expect(all).toHaveLength(2)
})

test('what runs inside an operation has its span for a parent, and what runs beside it has not', async () => {
  const spans = new AsyncLocalStorage<string>()
  const { start } = tracingChannel<OperationTrace, string>('stepladder.operation')
  start.bindStore(spans, ({ operation }) => `${spans.getStore() ?? 'request'} > ${operation}`)
  onTestFinished(() => void start.unbindStore(spans))

  const end = begin(subject, ignoreReports)
  const parents = await inside(end, async () => {
    await wait(1)
    const endOfInner = begin({ ...subject, operation: 'store' }, ignoreReports)
    const parent = await inside(endOfInner, () =>
      withDeadline('a command', 1_000, async () => spans.getStore()),
    )
    endOfInner('done')
    return [spans.getStore(), parent]
  })
  end('fetched')

  expect(parents).toEqual(['request > get', 'request > get > store'])
  expect(spans.getStore()).toBeUndefined()
})

test('without a tracer, what runs inside is just run, and its failure comes out', () => {
  const end = begin(subject, ignoreReports)
  expect(inside(end, () => 7)).toBe(7)
  expect(inside(undefined, () => 8)).toBe(8)
  expect(() => inside(end, () => expect.unreachable('as it is'))).toThrow('as it is')
})

test('who subscribes while an operation is under way hears of the next one on', () => {
  const end = begin(subject, ignoreReports)
  const { heard } = subscribe()
  end('hit')
  expect(heard).toEqual([])
})
