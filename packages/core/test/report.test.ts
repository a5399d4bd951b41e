import { begin, ignoreReports, isFailure, isHeard, reportTo } from '@stepladder/core'
import { FakeClock, RecordedReports } from '@stepladder/core/testing'
import { expect, test } from 'vitest'

const subject = { component: 'cache', name: 'users', operation: 'get' }

test('an operation is reported once, with its outcome and its time, to everyone', async () => {
  const clock = new FakeClock()
  const [metrics, logs] = [new RecordedReports(), new RecordedReports()]
  const end = begin(subject, reportTo(metrics.report, logs.report), clock)
  await clock.advance(12)
  end('failed', 'no database')
  expect(metrics.all).toEqual([{ ...subject, outcome: 'failed', ms: 12, cause: 'no database' }])
  expect(logs.outcomes('get')).toEqual(['failed'])
})

test('while nobody hears, nothing is measured, also where reporters were joined', () => {
  const clock = { ...new FakeClock(), monotonic: () => expect.unreachable('the clock was read') }
  for (const report of [ignoreReports, reportTo(), reportTo(ignoreReports, ignoreReports)]) {
    expect(isHeard(report)).toBe(false)
    begin(subject, report, clock as never)('hit')
  }
  expect(isHeard(reportTo(ignoreReports, () => {}))).toBe(true)
})

test.each([
  ['failed', new Error('x'), true],
  ['refused', new Error('x'), true],
  ['full', new Error('x'), true],
  ['stale', new Error('x'), false],
  ['retried', new Error('x'), false],
  ['hit', undefined, false],
])('an operation that ended %s: its cause was survived, or was not', (outcome, cause, expected) => {
  expect(isFailure({ outcome, cause })).toBe(expected)
})

test('recorded reports are waited for: one that is here, one that comes, and one that does not', async () => {
  const recorded = new RecordedReports()
  const later = recorded.until('get', 'stale')
  recorded.report({ ...subject, outcome: 'hit', ms: 1 })
  recorded.report({ ...subject, outcome: 'stale', ms: 2 })
  expect(await later).toMatchObject({ ms: 2 })
  expect(await recorded.until('get', 'hit')).toMatchObject({ ms: 1 })
  await expect(recorded.until('get', 'loaded', 20)).rejects.toThrow('Waiting for get to end loaded')
  recorded.clear()
  expect(recorded.outcomes()).toEqual([])
})
