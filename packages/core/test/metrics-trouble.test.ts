import { withDeadline } from '@stepladder/core'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { MetricSnapshot } from '../src/link/messages.ts'
import { MetricsLedger } from '../src/metrics/metrics-ledger.ts'
import { WorkerMetrics } from '../src/metrics/worker-metrics.ts'
import { type RunningCluster, startCluster } from './running-cluster.ts'

const app = 'troubled-metrics-app.cjs'

async function scrape(
  { port }: RunningCluster,
  accept = '*/*',
): Promise<{ status: number; type: string; text: string }> {
  const headers = { connection: 'close', accept }
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers })
  const type = response.headers.get('content-type') ?? ''
  return { status: response.status, type, text: await response.text() }
}

describe.each(['prom-client', '@prometheus-io/client'])('over %s', (client) => {
  test('a metric that cannot be read costs scrapes, not workers', async () => {
    await using cluster = await startCluster({ app, workers: 1, env: { METRICS_CLIENT: client } })
    const { pid } = await cluster.json<{ pid: number }>('/database/down')
    const text = 'The metrics cannot be read: the database is down\n'
    expect(await scrape(cluster)).toMatchObject({ status: 500, text })
    // The worker reports each second, and says at once and only once that it cannot.
    await cluster.supervisor.waitForOutput(/metrics of this worker cannot be read/)
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(await cluster.json('/database/up')).toEqual({ pid })
    expect(await scrape(cluster)).toMatchObject({ status: 200 })
    expect(cluster.supervisor.output.match(/cannot be read/g)).toHaveLength(1)
  })

  test('numbers that JSON does not have arrive, and a metric that does not say how it is summed', async () => {
    await using cluster = await startCluster({ app, workers: 1, env: { METRICS_CLIENT: client } })
    await cluster.json('/order')
    const lines = (await scrape(cluster)).text.split('\n')
    expect(lines).toEqual(
      expect.arrayContaining(['nothing Nan', 'everything +Inf', 'void -Inf', 'orders_total 1']),
    )
  })

  test.each(['classic', 'openmetrics'])(
    'the totals of all workers in the format that was asked for, from registries that are %s',
    async (format) => {
      const env = { METRICS_CLIENT: client, OPENMETRICS: format === 'openmetrics' ? '1' : '' }
      await using cluster = await startCluster({ app, workers: 1, env })
      await cluster.json('/order')
      const [open, classic] = await Promise.all([
        scrape(cluster, 'application/openmetrics-text; version=1.0.0'),
        scrape(cluster),
      ])
      expect(open.type).toContain('application/openmetrics-text')
      expect(open.text).toMatch(/# EOF\n$/)
      expect(open.text).toContain('# TYPE orders counter\norders_total 1\n')
      expect(open.text).not.toContain('_total_total')
      expect(classic.type).toContain('text/plain')
      expect(classic.text).toContain('# TYPE orders_total counter\norders_total 1\n')
      expect(classic.text).not.toContain('# EOF')
    },
  )

  test("a summary's sum and count do not fall when a worker is killed", async () => {
    await using cluster = await startCluster({ app, workers: 1, env: { METRICS_CLIENT: client } })
    for (let order = 0; order < 5; order++) await cluster.json('/order')
    expect((await scrape(cluster)).text).toContain('job_seconds_count 5')
    const [pid] = await cluster.workerPids(1)
    process.kill(pid!, 'SIGKILL')
    await vi.waitFor(async () => expect(await cluster.workerPids(1)).not.toEqual([pid]), { timeout: 15_000 })
    await cluster.json('/order')
    const { text } = await scrape(cluster)
    expect(text).toContain('job_seconds_sum 6\njob_seconds_count 6')
    // A quantile is of the living alone: those of the dead cannot be added.
    expect(text).toContain('job_seconds{quantile="0.5"} 1\n')
  })
})

test('all registries of a worker are told together, not one in place of the other', async () => {
  await using cluster = await startCluster({ app })
  for (let order = 0; order < 10; order++) await cluster.json('/order')
  const totals = async () => {
    const { text } = await scrape(cluster)
    return [/^orders_total (\d+)/m, /^mails_total (\d+)/m].map((line) => Number(line.exec(text)?.[1]))
  }
  await vi.waitFor(async () => expect(await totals()).toEqual([10, 10]), { timeout: 15_000 })
  for (let time = 0; time < 6; time++) {
    expect(await totals()).toEqual([10, 10])
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
})

describe('a metric that takes long to read', () => {
  const counted = (value: number): MetricSnapshot[] => {
    return [{ name: 'orders', help: '', type: 'counter', aggregator: 'sum', values: [{ value, labels: {} }] }]
  }

  function setUp() {
    const ledger = new MetricsLedger<string>()
    const reads: PromiseWithResolvers<MetricSnapshot[]>[] = []
    const worker = new WorkerMetrics({
      listen: () => () => {},
      async send(message) {
        if (message.stepladder === 'snapshot') ledger.keep('worker', message)
      },
    })
    worker.add({
      contentType: '',
      metrics: async () => '',
      getSingleMetric: () => undefined,
      getMetricsAsJSON() {
        const read = Promise.withResolvers<MetricSnapshot[]>()
        reads.push(read)
        return read.promise
      },
    })
    return { worker, reads, total: () => ledger.snapshots().flat() }
  }

  test('does not undo what was read later and told earlier', async () => {
    const { worker, reads, total } = setUp()
    const [older, younger] = [worker.flush(), worker.flush()]
    reads[1]?.resolve(counted(2))
    await younger
    reads[0]?.resolve(counted(1))
    await older
    expect(total()).toEqual(counted(2))
  })

  test('is not asked again each second while it is read', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { reads } = setUp()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(reads).toHaveLength(1)
    reads[0]?.resolve(counted(1))
    await vi.advanceTimersByTimeAsync(1_000)
    expect(reads).toHaveLength(2)
  })

  test('is given up after five seconds, and said once; what is read later is told again', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const said = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => said.mockRestore())
    const { reads, total } = setUp()
    await vi.advanceTimersByTimeAsync(14_000)
    expect(said).toHaveBeenCalledOnce()
    reads.at(-1)?.resolve(counted(1))
    await vi.advanceTimersByTimeAsync(0)
    expect(total()).toEqual(counted(1))
  })

  test('does not keep a scrape waiting for a supervisor that does not answer', async () => {
    const { worker, reads } = setUp()
    const scrape = withDeadline('a scrape', 30, (signal) => worker.scrape(signal))
    reads[0]?.resolve(counted(1))
    await expect(scrape).rejects.toThrow('a scrape did not end within 30 ms')
  })
})
