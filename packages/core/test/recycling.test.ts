import { sleep } from '@stepladder/core'
import { FakeClock, isRunning } from '@stepladder/core/testing'
import { describe, expect, test, vi } from 'vitest'
import {
  drawLimits,
  limitReached,
  type Recyclable,
  Recycling,
  type RecyclingReason,
} from '../src/watch/recycling.ts'
import { checkWatchOptions, type WatchOptions } from '../src/watch/watch-options.ts'
import { type RunningCluster, startCluster } from './running-cluster.ts'

const app = 'metrics-app.cjs'

async function scrape({ port }: RunningCluster): Promise<(series: string) => number> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { connection: 'close' } })
  const text = await response.text()
  return (series) => {
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `))
    return Number(line?.slice(series.length + 1) ?? Number.NaN)
  }
}

test('workers are replaced for their requests, one at a time, and no request is lost', async () => {
  await using cluster = await startCluster({ app, flags: ['--max-requests', '30'] })
  const before = await cluster.workerPids(2)
  let isOver = false
  const fewest: number[] = []
  // Each asks over a connection of its own; one that fails rejects.
  const ask = async () => {
    while (!isOver) {
      await cluster.json('/pid')
      fewest.push((await scrape(cluster))('stepladder_cluster_workers{state="serving"}'))
      await sleep(20)
    }
  }
  const asked = ask()
  const replaced = async () => {
    for (const pid of before) {
      await cluster.supervisor.waitForOutput(new RegExp(`worker ${pid} has had \\d+ requests; replacing it`))
      await cluster.supervisor.waitForOutput(new RegExp(`takes the place of ${pid}`))
    }
  }
  await Promise.race([asked, replaced()])
  isOver = true
  await asked
  expect(Math.min(...fewest)).toBe(2)
  expect(
    (await scrape(cluster))('stepladder_cluster_restarts_total{reason="requests"}'),
  ).toBeGreaterThanOrEqual(2)
})

test('a worker is replaced for its memory', async () => {
  await using cluster = await startCluster({ app, workers: 1, flags: ['--max-memory', '400mb'] })
  const { pid } = await cluster.json<{ pid: number }>('/hold?mb=400')
  await cluster.supervisor.waitForOutput(new RegExp(`worker ${pid} holds \\d+ MB; replacing it`))
  await cluster.supervisor.waitForOutput(new RegExp(`takes the place of ${pid}`))
  expect((await scrape(cluster))('stepladder_cluster_restarts_total{reason="memory"}')).toBe(1)
})

test('workers are replaced for their age, not all at once, also while one of them crashes', async () => {
  await using cluster = await startCluster({ app, flags: ['--max-age', '5s'] })
  const before = await cluster.workerPids(2)
  const [, first] = await cluster.supervisor.waitForOutput(/worker (\d+) is \d+ s old; replacing it/)
  const other = before.find((pid) => pid !== Number(first))
  if (other && (await isRunning(other))) process.kill(other, 'SIGKILL')
  await cluster.supervisor.waitForOutput(new RegExp(`takes the place of ${first}`))
  await vi.waitFor(
    async () => {
      expect((await cluster.workerPids(2)).filter((pid) => before.includes(pid))).toEqual([])
    },
    { timeout: 20_000 },
  )
})

test('control: without limits workers stay', async () => {
  await using cluster = await startCluster({ app })
  const before = await cluster.workerPids(2)
  for (let asked = 0; asked < 100; asked++) await cluster.json('/pid')
  await cluster.json('/hold?mb=400')
  expect((await cluster.workerPids(2)).sort()).toEqual(before.sort())
  expect(cluster.supervisor.output).not.toContain('replacing it')
})

test.each([
  [{ hang: '100ms' }, 'option "hang" must be "off" or a duration from 500 ms on'],
  [{ hang: 'never' }, 'option "hang" must be a duration'],
  [{ maxMemory: 'much' }, 'option "maxMemory" must be a size'],
  [{ maxAge: -1 }, 'option "maxAge" must be a duration'],
  [{ maxRequests: 0 }, 'option "maxRequests" must be a whole number from 1 on'],
  [{ maxRequests: 1.5 }, 'option "maxRequests" must be a whole number from 1 on'],
])('%j is refused by name', (options, message) => {
  // What a JavaScript caller may pass, whatever the types say.
  expect(() => checkWatchOptions('runCluster', options as WatchOptions)).toThrow(`runCluster: ${message}`)
})

describe('the decision', () => {
  const vitals = (rssBytes: number, requests: number) => ({ rssBytes, requests })

  test('the first limit that is reached is the reason', () => {
    const limits = { maxMemoryBytes: 100 * 1024 ** 2, maxAgeMs: 1_000, maxRequests: 10 }
    const reason = (...at: [rssBytes: number, requests: number, livedMs: number]) =>
      limitReached(limits, vitals(at[0], at[1]), at[2])
    expect(reason(99 * 1024 ** 2, 9, 999)).toBeUndefined()
    expect(reason(100 * 1024 ** 2, 9, 999)).toEqual({ reason: 'memory', story: 'holds 100 MB' })
    expect(reason(0, 10, 0)).toEqual({ reason: 'requests', story: 'has had 10 requests' })
    expect(reason(0, 0, 1_000)).toEqual({ reason: 'age', story: 'is 1 s old' })
    expect(limitReached({}, vitals(1e12, 1e12), 1e12)).toBeUndefined()
  })

  test('each worker draws its limits within 10 %', () => {
    const limits = { maxMemoryBytes: 1_000, maxAgeMs: 1_000, maxRequests: undefined }
    expect(drawLimits(limits, () => 0)).toEqual({
      maxMemoryBytes: 900,
      maxAgeMs: 900,
      maxRequests: undefined,
    })
    expect(drawLimits(limits, () => 0.5)).toEqual({
      maxMemoryBytes: 1_000,
      maxAgeMs: 1_000,
      maxRequests: undefined,
    })
  })

  interface Fake {
    pid: number
    state: Recyclable['state']
    livedMs: number
  }

  function setUp(succeeds = true) {
    const clock = new FakeClock()
    const replaced: [number, RecyclingReason][] = []
    let finish = () => {}
    const recycling = new Recycling<Fake>({
      limits: { maxRequests: 10, maxMemoryBytes: 1_000 },
      replace: (worker, reason) =>
        new Promise((resolve) => {
          replaced.push([worker.pid, reason])
          finish = () => {
            if (succeeds) worker.state = 'gone'
            resolve()
          }
        }),
      log: () => {},
      clock,
      random: () => 0.5,
      backoff: () => 30_000,
    })
    const worker = (pid: number, livedMs = 3_600_000): Fake => {
      const made: Fake = { pid, state: 'serving', livedMs }
      recycling.join(made)
      return made
    }
    const hear = (of: Fake, requests: number, rssBytes = 0) => recycling.hear(of, { rssBytes, requests })
    const finished = async () => {
      finish()
      await clock.advance(0)
    }
    return { clock, replaced, worker, hear, finish: finished }
  }

  test('one at a time', async () => {
    const { replaced, worker, hear, finish } = setUp()
    const [a, b] = [worker(1), worker(2)]
    hear(a, 10)
    hear(b, 10)
    expect(replaced).toEqual([[1, 'requests']])
    await finish()
    hear(b, 11)
    expect(replaced).toEqual([
      [1, 'requests'],
      [2, 'requests'],
    ])
  })

  test('a worker that does not serve is left alone', () => {
    const { replaced, worker, hear } = setUp()
    hear(Object.assign(worker(1), { state: 'draining' as const }), 99)
    hear(Object.assign(worker(2), { state: 'starting' as const }), 99)
    expect(replaced).toEqual([])
  })

  test.each([
    ['no successor comes up', false, 3_600_000],
    ['an app needs more memory than it may have', true, 1_000],
  ])('where %s, it is tried ever more slowly', async (_, succeeds, livedMs) => {
    const { clock, replaced, worker, hear, finish } = setUp(succeeds)
    for (const pid of [1, 2, 3]) {
      hear(worker(pid, livedMs), 0, 1_000)
      await finish()
    }
    expect(replaced).toHaveLength(2)
    await clock.advance(30_000)
    hear(worker(4, livedMs), 0, 1_000)
    expect(replaced).toHaveLength(3)
  })
})
