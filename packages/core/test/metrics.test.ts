import { createMetrics, sleep } from '@stepladder/core'
import { freePort, spawnNode } from '@stepladder/core/testing'
import { describe, expect, test, vi } from 'vitest'
import { fixture, type RunningCluster, startCluster } from './running-cluster.ts'

async function scrape(cluster: RunningCluster): Promise<Map<string, number>> {
  const response = await fetch(`http://127.0.0.1:${cluster.port}/metrics`, {
    headers: { connection: 'close' },
  })
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]))
}

describe.each(['prom-client', '@prometheus-io/client'])('over %s', (client) => {
  test('a counter never falls when workers are killed', async () => {
    await using cluster = await startCluster({ app: 'metrics-app.cjs', env: { METRICS_CLIENT: client } })
    for (let round = 1; round <= 2; round++) {
      for (let order = 0; order < 20; order++) await cluster.json(`/orders/${order}`)
      // Each worker reports every second; a kill after that must cost nothing.
      await vi.waitFor(async () => expect((await scrape(cluster)).get('orders_total')).toBe(round * 20), {
        timeout: 15_000,
      })
      for (const pid of await cluster.workerPids(2)) process.kill(pid, 'SIGKILL')
      await vi.waitFor(async () => expect(await cluster.workerPids(2)).toHaveLength(2), { timeout: 15_000 })
      expect((await scrape(cluster)).get('orders_total')).toBe(round * 20)
    }
    // A worker may answer a moment before its supervisor has heard that it can.
    await vi.waitFor(
      async () => {
        const metrics = await scrape(cluster)
        expect(metrics.get('stepladder_cluster_restarts_total{reason="SIGKILL"}')).toBe(4)
        expect(metrics.get('stepladder_cluster_workers{state="serving"}')).toBe(2)
      },
      { timeout: 15_000 },
    )
  }, 90_000)

  test('a worker whose loop is blocked does not hold up a scrape', async () => {
    await using cluster = await startCluster({ app: 'metrics-app.cjs', env: { METRICS_CLIENT: client } })
    await cluster.workerPids(2)
    await vi.waitFor(
      async () => {
        const { pid } = await cluster.json<{ pid: number }>('/block?ms=1500')
        expect(pid).toBeTruthy()
      },
      { timeout: 15_000 },
    )
    const { port } = cluster
    const scrapeMs = async (afterMs: number) => {
      await sleep(afterMs)
      const startedAt = performance.now()
      await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { connection: 'close' } })
      return performance.now() - startedAt
    }
    // Those that the blocked worker took already wait for it, the others must not; the fastest is the least disturbed.
    const times = await Promise.all([0, 0, 0, 300, 300, 300, 600, 600, 600].map(scrapeMs))
    expect(Math.min(...times)).toBeLessThan(250)
  })
})

test("control: with the client's own aggregation the total falls when a worker is killed", async () => {
  const port = await freePort()
  await using primary = spawnNode(fixture('aggregator-registry.cjs'), { env: { PORT: String(port) } })
  await primary.waitForOutput(/ready/)
  const total = async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    return Number(/^orders_total (\d+)$/m.exec(text)?.[1])
  }
  expect(await total()).toBe(200)
  await fetch(`http://127.0.0.1:${port}/kill-one`)
  expect(await total()).toBe(100)
})

test('requests are timed by pattern, never by URL', async () => {
  await using cluster = await startCluster({ app: 'metrics-app.cjs', workers: 1 })
  await cluster.json('/orders/17')
  await cluster.json('/orders/18')
  await fetch(`http://127.0.0.1:${cluster.port}/wp-admin.php`)
  const metrics = await scrape(cluster)
  const count = (route: string, status: number) =>
    metrics.get(
      `http_server_request_duration_seconds_count{method="GET",route="${route}",status_code="${status}"}`,
    )
  expect(count('/orders/:id', 200)).toBe(2)
  expect(count('unmatched', 404)).toBe(1)
  expect([...metrics.keys()].filter((name) => name.includes('wp-admin'))).toEqual([])
})

test('a client that is not one is refused with the option named', () => {
  expect(() => createMetrics({ client: {} as never })).toThrow(
    'createMetrics: option "client" must be the module prom-client',
  )
})
