import { begin, reportTo } from '@stepladder/core'
import { FakeClock, RecordedReports } from '@stepladder/core/testing'
import { expect, test } from 'vitest'

test('an operation is reported once, with its outcome and its time, to everyone', async () => {
  const clock = new FakeClock()
  const [metrics, logs] = [new RecordedReports(), new RecordedReports()]
  const end = begin(
    { component: 'cache', name: 'users', operation: 'get' },
    reportTo(metrics.report, logs.report),
    clock,
  )
  await clock.advance(12)
  end('failed', 'no database')
  expect(metrics.all).toEqual([
    { component: 'cache', name: 'users', operation: 'get', outcome: 'failed', ms: 12, cause: 'no database' },
  ])
  expect(logs.outcomes('get')).toEqual(['failed'])
})
