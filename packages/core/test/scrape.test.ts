import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import * as successor from '@prometheus-io/client'
import { createMetrics } from '@stepladder/core'
import { metrics } from '@stepladder/core/express'
import express from 'express'
import * as promClient from 'prom-client'
import { describe, expect, onTestFinished, test, vi } from 'vitest'

const openMetrics = 'application/openmetrics-text; version=1.0.0'

describe.each([
  ['prom-client', promClient],
  // The same to us; only the private parts of their classes differ in type.
  ['@prometheus-io/client', successor as unknown as typeof promClient],
])('over %s', (_name, client) => {
  async function startApp(format: 'classic' | 'openmetrics' = 'classic') {
    const registry = new client.Registry<promClient.RegistryContentType>()
    if (format === 'openmetrics') registry.setContentType(client.Registry.OPENMETRICS_CONTENT_TYPE)
    const app = express()
    app.use(metrics({ client, registry }))
    app.all('/orders/:id', (_request, response) => void response.send('order'))
    const slowAsked = Promise.withResolvers<void>()
    app.get('/slow', () => slowAsked.resolve())
    const server = createServer(app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    // A server that was bound to a port has an address of this kind.
    const { port } = server.address() as AddressInfo
    const scrape = async (accept?: string, method = 'GET') => {
      const headers = accept === undefined ? {} : { accept }
      const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers, method })
      const type = response.headers.get('content-type') ?? ''
      return { status: response.status, type, text: await response.text(), headers: response.headers }
    }
    return { registry, port, scrape, slowAsked: slowAsked.promise }
  }

  test.each(['classic', 'openmetrics'] as const)(
    'each request gets the format that it asks for, whatever the registry (%s) and whoever asks beside it',
    async (format) => {
      const { registry, scrape } = await startApp(format)
      new client.Counter({ name: 'orders_total', help: 'x', registers: [registry] }).inc()
      new client.Gauge({ name: 'left_out', help: 'x', registers: [registry], aggregator: 'omit' }).set(1)
      const accepts = [undefined, openMetrics, '*/*', `${openMetrics};q=0.1, text/plain;q=0.9`]
      for (let round = 0; round < 3; round++) {
        const answers = await Promise.all(accepts.map((accept) => scrape(accept)))
        const [classic, open] = [answers[0]!, answers[1]!]
        expect(answers.map(({ type }) => type)).toEqual([classic.type, open.type, classic.type, classic.type])
        expect(classic.type).toBe('text/plain; version=0.0.4; charset=utf-8')
        expect(classic.text).toContain('# TYPE orders_total counter\norders_total 1\n')
        expect(classic.text).not.toContain('# EOF')
        expect(open.type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
        expect(open.text).toContain('# TYPE orders counter\norders_total 1\n')
        expect(open.text).toMatch(/# EOF\n$/)
        for (const { text, headers } of answers) {
          expect(text).toContain('left_out 1\n')
          expect(headers.get('vary')).toBe('Accept')
        }
      }
    },
  )

  test.each(['classic', 'openmetrics'] as const)(
    'without a supervisor the process tells of itself, beside a registry that is %s',
    async (format) => {
      const { scrape } = await startApp(format)
      for (const accept of [undefined, openMetrics]) {
        const { text } = await scrape(accept)
        expect(text).toMatch(/^stepladder_worker_heap_used_bytes\{worker="0"\} \d{6,}$/m)
        expect(text).toMatch(
          /^stepladder_worker_event_loop_delay_seconds\{worker="0",quantile="0.99"\} [\d.e-]+$/m,
        )
        expect(text).toMatch(/^stepladder_worker_requests_total\{worker="0"\} \d+$/m)
        expect(text.match(/# EOF/g) ?? []).toHaveLength(accept ? 1 : 0)
        if (accept) expect(text).not.toMatch(/^\n|\n\n/)
      }
    },
  )

  test('exemplars are in OpenMetrics, and leave the classic text readable', async () => {
    const { registry, scrape } = await startApp('openmetrics')
    const options = {
      name: 'job_seconds',
      help: 'x',
      buckets: [1],
      registers: [registry],
      enableExemplars: true,
    }
    new client.Histogram(options).observe({
      labels: {},
      value: 0.5,
      exemplarLabels: { trace_id: 'abc' },
    } as never)
    expect((await scrape(openMetrics)).text).toContain('job_seconds_bucket{le="1"} 1 # {trace_id="abc"} 0.5')
    const { text } = await scrape()
    expect(text).toContain('job_seconds_bucket{le="1"} 1\n')
    expect(text).not.toContain('trace_id')
  })

  test('HEAD is answered as GET is, without the text', async () => {
    const { scrape } = await startApp()
    const [head, get] = [await scrape(undefined, 'HEAD'), await scrape()]
    expect(head).toMatchObject({ status: 200, text: '', type: get.type })
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(0)
  })

  test('a scrape that cannot be read answers 500 and says why; the next one is well', async () => {
    const { registry, scrape } = await startApp()
    let isDown = true
    new client.Gauge({
      name: 'depth',
      help: 'x',
      registers: [registry],
      async collect() {
        if (isDown) throw new Error('the database is down')
        this.set(1)
      },
    })
    for (const accept of [undefined, openMetrics]) {
      const { status, type, text } = await scrape(accept)
      expect({ status, type, text }).toEqual({
        status: 500,
        type: 'text/plain; charset=utf-8',
        text: 'The metrics cannot be read: the database is down\n',
      })
    }
    isDown = false
    expect(await scrape()).toMatchObject({ status: 200 })
  })

  test('a metric that never answers costs a scrape five seconds, not the connection', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const registry = new client.Registry()
    new client.Gauge({
      name: 'depth',
      help: 'x',
      registers: [registry],
      collect: () => new Promise(() => {}),
    })
    const scrape = createMetrics({ client, registry }).scrape()
    const failure = expect(scrape).rejects.toThrow('Reading the metrics did not end within 5000 ms')
    await vi.advanceTimersByTimeAsync(5_000)
    await failure
  })

  test('methods that HTTP does not define are one', async () => {
    const { port, scrape } = await startApp()
    for (const method of ['GET', 'PROPFIND', 'MKCOL', 'SOURCE']) {
      const request = httpRequest({ port, host: '127.0.0.1', path: '/orders/1', method }).end()
      const [response] = await once(request, 'response')
      response.resume()
      await once(response, 'end')
    }
    const counts = (await scrape()).text.matchAll(/seconds_count\{method="(.*?)".*\} (\d+)/g)
    expect([...counts].map(([, method, count]) => [method, count])).toEqual([
      ['GET', '1'],
      ['other', '3'],
    ])
  })

  test('a request whose client went away unanswered is counted as aborted', async () => {
    const { port, scrape, slowAsked } = await startApp()
    const socket = connect(port, '127.0.0.1')
    socket.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
    await slowAsked
    socket.destroy()
    const line = 'seconds_count{method="GET",route="/slow",status_code="aborted"} 1\n'
    await vi.waitFor(async () => expect((await scrape()).text).toContain(line), { timeout: 5_000 })
  })

  test('reports have few series, whatever an app gives for names, and keep what was known before', async () => {
    const registry = new client.Registry()
    const kept = createMetrics({ client, registry })
    const { report } = kept
    const get = { component: 'cache', operation: 'get', outcome: 'hit', ms: 1 }
    for (let user = 0; user < 1_000; user++) report({ ...get, name: `user-${user}` })
    for (let odd = 0; odd < 1_000; odd++) report({ ...get, name: 'users', outcome: `odd-${odd}` })
    for (let odd = 0; odd < 50; odd++) report({ ...get, name: 'users', component: `part_${odd}` })
    report({ ...get, name: 'user-7' })
    const counts = [
      ...(await kept.scrape()).text.matchAll(/stepladder_(\w+)_operation_seconds_count\{(.*)\} (\d+)/g),
    ]
    const cache = new Map(
      counts.filter(([, part]) => part === 'cache').map(([, , labels, count]) => [labels, count]),
    )
    expect(cache.size).toBeLessThanOrEqual(551)
    expect(cache.get('name="user-7",operation="get",outcome="hit"')).toBe('2')
    expect(cache.get('name="other",operation="get",outcome="hit"')).toBe('500')
    expect(cache.get('name="other",operation="other",outcome="other"')).toBeDefined()
    expect([...cache.values()].reduce((sum, count) => sum + Number(count), 0)).toBe(2_001)
    expect(new Set(counts.map(([, part]) => part)).size).toBe(31)
    expect(counts.find(([, part]) => part === 'other')?.[3]).toBe('21')
  })

  test('the global registry is served by default, with what the app keeps there', async () => {
    new client.Counter({ name: 'app_orders_total', help: 'x' }).inc(7)
    onTestFinished(() => client.register.clear())
    // A second time over the same registry: what exists already is used.
    metrics({ client })
    metrics({ client })
    expect((await createMetrics({ client }).scrape()).text).toContain('app_orders_total 7\n')
  })
})
