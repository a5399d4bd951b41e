import { type Clock, systemClock } from '@stepladder/core'
import {
  FakeClock,
  keyPrefix,
  outage,
  RecordedReports,
  sharedRedis,
  startRedis,
  startRedisCluster,
} from '@stepladder/core/testing'
import { Cluster, Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openRedisLease } from '../src/adapters/redis-lease.ts'
import { type Lease, type LeaseStore, takeLease } from '../src/leader/lease.ts'

const never = new AbortController().signal

/** The leases of one name, as Redis keeps them, by a clock that a test may move. */
class FakeLeases {
  holder: { machine: string; token: number; endsAt: number } | undefined
  readonly #clock: Clock
  #lastToken = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  of(machine: string): LeaseStore {
    const now = () => this.#clock.monotonic()
    const isHeld = (token: number) => this.#current?.machine === machine && this.#current.token === token
    return {
      take: async (ttlMs) => {
        if (this.#current && this.#current.machine !== machine) return undefined
        this.holder = { machine, token: ++this.#lastToken, endsAt: now() + ttlMs }
        return this.holder.token
      },
      renew: async (token, ttlMs) => {
        if (!isHeld(token)) return false
        this.holder = { machine, token, endsAt: now() + ttlMs }
        return true
      },
      release: async (token) => {
        if (isHeld(token)) this.holder = undefined
      },
      close: async () => {},
    }
  }

  get #current() {
    return this.holder && this.holder.endsAt > this.#clock.monotonic() ? this.holder : undefined
  }
}

describe.each([
  {
    kind: 'the fake one',
    open: () => {
      const leases = new FakeLeases(systemClock)
      return async (machine: string) => leases.of(machine)
    },
  },
  {
    kind: 'Redis',
    open: () => {
      const name = keyPrefix('lease')
      return async (machine: string) => {
        const { url } = await sharedRedis()
        const store = await openRedisLease({ redis: url, name, machine, commandTimeoutMs: 1_000 })
        onTestFinished(() => store.close())
        return store
      }
    },
  },
])('a store of leases: $kind', ({ open }) => {
  test('lets one machine have it; another waits until it is released', async () => {
    const connect = open()
    const [a, b] = [await connect('a'), await connect('b')]
    const token = await a.take(60_000)
    expect(token).toBeGreaterThan(0)
    expect(await b.take(60_000)).toBeUndefined()
    await a.release(token!)
    expect(await b.take(60_000)).toBeGreaterThan(token!)
  })

  test('lets another have it when it has run out, unless it was renewed', async () => {
    const connect = open()
    const [a, b] = [await connect('a'), await connect('b')]
    const token = (await a.take(1_000))!
    expect(await a.renew(token, 60_000)).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 1_010))
    expect(await b.take(60_000)).toBeUndefined()

    expect(await a.renew(token, 1)).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(await b.take(60_000)).toBeGreaterThan(token)
    expect(await a.renew(token, 60_000)).toBe(false)
  })

  test('lets a machine take over its own at once; what the former holder does then is without effect', async () => {
    const connect = open()
    const [former, next] = [await connect('a'), await connect('a')]
    const old = (await former.take(60_000))!
    const young = (await next.take(60_000))!
    expect(young).toBeGreaterThan(old)
    await former.release(old)
    expect(await former.renew(old, 60_000)).toBe(false)
    expect(await next.renew(young, 60_000)).toBe(true)
  })

  test('does not take one machine for another whose name begins alike', async () => {
    const connect = open()
    await (await connect('machine-1')).take(60_000)
    expect(await (await connect('machine')).take(60_000)).toBeUndefined()
    expect(await (await connect('machine-12')).take(60_000)).toBeUndefined()
  })
})

test('tokens go on growing when Redis has lost all it knew, the counter included', async () => {
  await using server = await startRedis()
  const options = { redis: server.url, name: 'cron', commandTimeoutMs: 1_000 }
  const a = await openRedisLease({ ...options, machine: 'a' })
  const before = []
  for (let n = 0; n < 5; n++) before.push(await a.take(60_000))
  const client = new Redis(server.url)
  await client.flushall()
  client.disconnect()

  const b = await openRedisLease({ ...options, machine: 'b' })
  expect(await b.take(60_000)).toBeGreaterThan(Math.max(...before.map(Number)))
  await Promise.all([a.close(), b.close()])
})

test('a Redis Cluster keeps leases as well, and the client of the app is left as it is', async () => {
  await using servers = await startRedisCluster()
  const client = new Cluster([...servers.urls])
  onTestFinished(() => client.disconnect())
  for (const name of ['cron', 'queue', 'mail']) {
    const options = { redis: client, name, commandTimeoutMs: 2_000 }
    const [a, b] = await Promise.all(['a', 'b'].map((machine) => openRedisLease({ ...options, machine })))
    const token = (await a!.take(60_000))!
    expect(await b!.take(60_000)).toBeUndefined()
    expect(await a!.renew(token, 60_000)).toBe(true)
    await a!.release(token)
    expect(await b!.take(60_000)).toBeGreaterThan(token)
    await Promise.all([a!.close(), b!.close()])
  }
  expect(await client.ping()).toBe('PONG')
})

describe('a lease', () => {
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
})
