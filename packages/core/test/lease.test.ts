import type { Clock } from '@stepladder/core'
import { FakeClock, outage, RecordedReports } from '@stepladder/core/testing'
import { expect, test } from 'vitest'
import { type Lease, takeLease } from '../src/leader/lease.ts'
import { FakeLeases } from './fake-leases.ts'

const never = new AbortController().signal

async function setUp({ ttlMs = 10_000 } = {}) {
  const clock = new FakeClock()
  const leases = new FakeLeases(clock)
  const reports = new RecordedReports()
  const line = outage(leases.of('a'), { clock })
  const options = { store: line.port, name: 'cron', ttlMs, report: reports.report, clock }
  const lease = await takeLease(options, never)
  return { clock, leases, reports, line, options, lease }
}

test('renews itself for as long as it is held, and is not lost', async () => {
  const { clock, leases, lease, reports } = await setUp()
  const other = leases.of('b')
  for (let s = 0; s < 100; s++) {
    await clock.advance(1_000)
    expect(await other.take(1)).toBeUndefined()
  }
  expect(lease.lost.aborted).toBe(false)
  expect(new Set(reports.outcomes('renew-lease'))).toEqual(new Set(['renewed']))
  await lease.release()
  expect(leases.holder).toBeUndefined()
  expect(clock.waiting).toBe(0)
})

test.each([{ fault: 'refuse' }, { fault: 'hang' }] as const)(
  'is given up before the store lets another have it, where the store is out of reach ($fault)',
  async ({ fault }) => {
    const { clock, leases, lease, line } = await setUp()
    await clock.advance(25_000)
    line[fault]()
    let lostAt = 0
    lease.lost.addEventListener('abort', () => {
      lostAt = clock.monotonic()
    })
    await clock.advance(20_000)
    expect(lease.lost.aborted).toBe(true)
    const { endsAt } = leases.holder!
    expect(endsAt - lostAt).toBeGreaterThanOrEqual(2_000)
    expect(endsAt - lostAt).toBeLessThan(2_600)
  },
)

test('counts from when it was asked for, not from when the answer came', async () => {
  const { clock, leases, line, options } = await setUp()
  leases.holder = undefined
  line.slow(7_000)
  const taking = takeLease(options, never)
  await clock.advance(7_000)
  const lease = await taking
  // The fake store takes after the delay, so its lease ends even later than one whose answer was slow.
  await clock.advance(1_000)
  expect(lease.lost.aborted).toBe(true)
})

test('survives an outage that is shorter than the trust', async () => {
  const { clock, lease, line } = await setUp()
  line.refuse()
  await clock.advance(7_000)
  line.recover()
  await clock.advance(60_000)
  expect(lease.lost.aborted).toBe(false)
})

test('is lost at once when the store says so', async () => {
  const { clock, leases, lease } = await setUp()
  leases.holder = undefined
  await leases.of('b').take(60_000)
  await clock.advance(2_500)
  expect(lease.lost.aborted).toBe(true)
})

test('is lost when a process that was stopped runs again, before it is renewed', async () => {
  const { lease, reports } = await setUpStoppable()
  expect(lease.lost.aborted).toBe(true)
  expect(reports.outcomes('renew-lease')).toEqual([])
})

/** All timers ring late, the one for the renewal first. */
async function setUpStoppable() {
  const clock = new FakeClock()
  let stoppedMs = 0
  const lateClock: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic() + stoppedMs,
    after: (ms, task) => clock.after(ms, task),
  }
  const reports = new RecordedReports()
  const store = new FakeLeases(lateClock).of('a')
  const lease = await takeLease(
    { store, name: 'cron', ttlMs: 10_000, report: reports.report, clock: lateClock },
    never,
  )
  expect(lease.isHeld).toBe(true)
  stoppedMs = 60_000
  // Nobody has told it yet.
  expect(lease.lost.aborted).toBe(false)
  expect(lease.isHeld).toBe(false)
  await clock.advance(2_500)
  return { lease, reports }
}

test('is waited for while another machine has it, and had soon after it is released', async () => {
  const { clock, lease, leases, options } = await setUp()
  const other = { ...options, store: leases.of('b') }
  let taken: Lease | undefined
  void takeLease(other, never).then((next) => {
    taken = next
  })
  await clock.advance(60_000)
  expect(taken).toBeUndefined()
  await lease.release()
  await clock.advance(500)
  expect(taken?.token).toBeGreaterThan(lease.token)
})

test('that comes when nobody wants it any more is released', async () => {
  const { clock, leases, lease, line, options } = await setUp()
  await lease.release()
  const giveUp = new AbortController()
  line.hang()
  const taking = takeLease(options, giveUp.signal)
  await clock.advance(1)
  giveUp.abort()
  line.recover()
  await expect(taking).rejects.toThrow(/abort/i)
  expect(leases.holder).toBeUndefined()
})
