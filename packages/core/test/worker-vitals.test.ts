import { Agent, get } from 'node:http'
import { sleep } from '@stepladder/core'
import { seededRandom, seeds } from '@stepladder/core/testing'
import { expect, test, vi } from 'vitest'
import { childrenOf } from '../testing/process-table.ts'
import { canLimitFiles, limitFiles } from './limit-files.ts'
import { type RunningCluster, startCluster } from './running-cluster.ts'
import { scrape } from './scraped-metrics.ts'

const app = 'metrics-app.cjs'
/** All workers accept from one socket, so that one that cannot is not waited for. */
const shared = ['--distribution', 'shared', '--hang', 'off']

test('every worker tells how it is, and an idle one has nothing to hide', async () => {
  await using cluster = await startCluster({ app })
  const pids = await cluster.workerPids(2)
  await vi.waitFor(
    async () => {
      const metrics = await scrape(cluster)
      for (const worker of ['0', '1']) {
        const of = (name: string, labels = '') =>
          metrics.get(`stepladder_worker_${name}{worker="${worker}"${labels}}`) ?? Number.NaN
        expect(of('resident_memory_bytes')).toBeGreaterThan(20e6)
        expect(of('heap_used_bytes')).toBeGreaterThan(1e6)
        expect(of('heap_size_bytes')).toBeGreaterThanOrEqual(of('heap_used_bytes'))
        expect(of('external_memory_bytes')).toBeGreaterThan(0)
        expect(of('cpu_seconds_total', ',mode="user"')).toBeGreaterThan(0)
        expect(of('event_loop_utilization_ratio')).toBeLessThanOrEqual(1)
        expect(of('event_loop_delay_seconds', ',quantile="0.99"')).toBeLessThan(10)
        expect(of('gc_runs_total', ',kind="minor"')).toBeGreaterThanOrEqual(0)
        expect(of('gc_seconds_total', ',kind="major"')).toBeGreaterThanOrEqual(0)
        expect(of('requests_total')).toBeGreaterThan(0)
        expect(of('open_connections')).toBeGreaterThanOrEqual(0)
      }
      expect(metrics.get('stepladder_cluster_workers{state="serving"}')).toBe(pids.length)
      expect(metrics.get('stepladder_cluster_stale_workers')).toBe(0)
    },
    { timeout: 15_000 },
  )
})

test('a blocked worker and a stopped one delay a scrape by less than 250 ms, and are said to be stale', async () => {
  await using cluster = await startCluster({ app, workers: 3, flags: shared })
  await vi.waitFor(async () => expect(await knownWorkers(cluster)).toBe(3), { timeout: 10_000 })
  const undisturbedMs = await medianScrapeMs(cluster)

  const { pid } = await cluster.json<{ pid: number }>('/pid')
  const children = await childrenOf(cluster.supervisor.pid)
  try {
    process.kill(pid, 'SIGSTOP')
    await cluster.json('/block?ms=60000')
    await vi.waitFor(
      async () => expect((await scrape(cluster)).get('stepladder_cluster_stale_workers')).toBe(2),
      { timeout: 10_000 },
    )
    // Who else is at work on this machine may disturb a look or two; a worker that is waited for disturbs all.
    await vi.waitFor(async () => expect((await medianScrapeMs(cluster)) - undisturbedMs).toBeLessThan(250), {
      timeout: 15_000,
    })
    // What they had last said is told all the same.
    expect(await knownWorkers(cluster)).toBe(3)
  } finally {
    // Neither would hear that it is to stop.
    for (const pid of children) process.kill(pid, 'SIGKILL')
  }
})

async function knownWorkers(cluster: RunningCluster): Promise<number> {
  const metrics = await scrape(cluster)
  return [0, 1, 2].filter((worker) => metrics.has(`stepladder_worker_heap_used_bytes{worker="${worker}"}`))
    .length
}

async function medianScrapeMs(cluster: RunningCluster): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < 7; round++) {
    const startedAt = performance.now()
    await scrape(cluster)
    times.push(performance.now() - startedAt)
  }
  return times.sort((a, b) => a - b)[3]!
}

test.skipIf(!canLimitFiles)(
  'a worker that cannot even look at itself, without a file descriptor left, lives on',
  async () => {
    // A watchdog starts a moment after the worker serves, and says so where it finds no descriptor for itself.
    await using cluster = await startCluster({ app, workers: 1, flags: ['--hang', 'off'] })
    const { pid } = await cluster.json<{ pid: number }>('/pid')
    limitFiles(pid, 10)
    // Twice a second it tells how it is.
    await sleep(1_500)
    limitFiles(pid, 1_000)
    expect(await cluster.json('/pid')).toMatchObject({ pid })
    expect(cluster.supervisor.output).not.toMatch(/EMFILE|replacing/)
  },
)

test.each(seeds(1))(
  'no counter falls while workers are killed under load, seed %i',
  async (seed) => {
    const random = seededRandom(seed)
    const deaths = seeds(1).length > 1 ? 50 : 8
    await using cluster = await startCluster({ app, workers: 4, flags: shared })
    const load = startLoad(cluster.port)
    const greatest = new Map<string, number>()
    const fallen: string[] = []
    const look = async () => {
      for (const [series, value] of await scrape(cluster)) {
        if (!/_(total|count|sum|bucket)(\{|$)/.test(series)) continue
        if (value < (greatest.get(series) ?? 0)) fallen.push(`${series}: ${greatest.get(series)} -> ${value}`)
        greatest.set(series, Math.max(value, greatest.get(series) ?? 0))
      }
    }
    // An app that never ran for five seconds would be given up after that many deaths.
    if (deaths > 8) await sleep(5_500)
    const killed = new Set<number>()
    while (killed.size < deaths) {
      load.pids.clear()
      await vi.waitFor(() => expect(load.pids.size).toBeGreaterThan(0), { timeout: 20_000 })
      const alive = [...load.pids].filter((pid) => !killed.has(pid))
      const victim = alive[Math.floor(random() * alive.length)]
      if (victim === undefined) continue
      process.kill(victim, 'SIGKILL')
      killed.add(victim)
      // Who answers a scrape dies next, if chance will have it.
      await vi.waitFor(look, { timeout: 20_000 })
    }
    load.stop()
    await vi.waitFor(
      async () => {
        await look()
        expect(greatest.get('stepladder_cluster_restarts_total{reason="SIGKILL"}')).toBe(deaths)
      },
      { timeout: 15_000 },
    )
    expect(fallen).toEqual([])
    expect(greatest.get('orders_total')).toBeGreaterThan(deaths)
  },
  300_000,
)

/** Eight clients that ask as long as they are not stopped; `pids` is who answered. */
function startLoad(port: number): { readonly pids: Set<number>; stop(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const pids = new Set<number>()
  let isOver = false
  const client = async (id: number) => {
    while (!isOver) {
      await new Promise<void>((resolve) => {
        const asked = get(
          { port, host: '127.0.0.1', path: `/orders/${id}`, agent, timeout: 2_000 },
          (response) => {
            let text = ''
            response.setEncoding('utf8').on('data', (part) => {
              text += part
            })
            response.once('end', () => pids.add(JSON.parse(text).pid)).once('close', () => resolve())
            response.once('error', () => {})
          },
        )
        asked.once('timeout', () => asked.destroy()).once('error', () => resolve())
      })
      await sleep(10)
    }
  }
  const clients = Array.from({ length: 8 }, (_, id) => client(id))
  return {
    pids,
    stop() {
      isOver = true
      Promise.all(clients).finally(() => agent.destroy())
    },
  }
}
