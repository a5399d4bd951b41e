import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as successor from '@prometheus-io/client'
import { createMetrics } from '@stepladder/core'
import { metrics } from '@stepladder/core/express'
import express, { type Express } from 'express'
import * as promClient from 'prom-client'
import { describe, expect, test, vi } from 'vitest'

const httpMetric = 'http_server_request_duration_seconds'

function appUnderTest() {
  const registry = new promClient.Registry()
  const app = express()
  app.use(metrics({ client: promClient, registry }))
  return { app, registry }
}

/** Asks the app for each path; how many requests it has counted, by route. */
async function countsAfter(
  app: Express,
  paths: readonly string[],
  metricsPath = '/metrics',
): Promise<Record<string, number>> {
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const ask = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text()
  try {
    for (const path of paths) await ask(path)
    const samples = (await ask(metricsPath)).matchAll(/seconds_count\{.*route="(.*?)".*\} (\d+)/g)
    return Object.fromEntries([...samples].map(([, route, count]) => [route, Number(count)]))
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

describe.each([
  ['prom-client', promClient],
  // The same to us; only the private parts of their classes differ in type.
  ['@prometheus-io/client', successor as unknown as typeof promClient],
])('over %s', (_name, client) => {
  test.each([
    ['other labels', { labelNames: ['method', 'code'] }],
    ['exemplars', { labelNames: ['method', 'route', 'status_code'], enableExemplars: true }],
  ])("an app's own histogram with %s is refused by name before the first request", (_case, options) => {
    const registry = new client.Registry<promClient.RegistryContentType>()
    registry.setContentType(client.Registry.OPENMETRICS_CONTENT_TYPE)
    new client.Histogram({ name: httpMetric, help: 'x', registers: [registry], ...options })
    expect(() => metrics({ client, registry })).toThrow(
      `createMetrics: option "registry" must be one whose "${httpMetric}" is a histogram`,
    )
  })

  test("an app's own metric of another type is refused by name before the first request", () => {
    const registry = new client.Registry()
    const labelNames = ['method', 'route', 'status_code']
    new client.Summary({ name: httpMetric, help: 'x', labelNames, registers: [registry] })
    expect(() => metrics({ client, registry })).toThrow(httpMetric)
  })

  test("an app's own histogram that has our labels and more is used", () => {
    const registry = new client.Registry()
    const labelNames = ['method', 'route', 'status_code', 'host']
    new client.Histogram({ name: httpMetric, help: 'x', labelNames, registers: [registry] })
    expect(() => metrics({ client, registry })).not.toThrow()
  })

  test('a report that cannot be counted costs the reporting module nothing, and is said once', () => {
    const registry = new client.Registry()
    new client.Counter({ name: 'stepladder_cache_operation_seconds', help: 'x', registers: [registry] })
    const said = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { report } = createMetrics({ client, registry })
    for (let time = 0; time < 2; time++) {
      report({ component: 'cache', name: 'flights', operation: 'get', outcome: 'hit', ms: 1 })
    }
    expect(said).toHaveBeenCalledOnce()
    expect(String(said.mock.calls[0]?.[1])).toContain('stepladder_cache_operation_seconds')
    said.mockRestore()
  })
})

test('a request that passes the middleware twice counts once', async () => {
  const { app, registry } = appUnderTest()
  const api = express.Router()
  api.use(metrics({ client: promClient, registry }))
  api.get('/x', (_request, response) => void response.end())
  app.use('/api', api)
  expect(await countsAfter(app, ['/api/x', '/api/x'])).toEqual({ '/api/x': 2 })
})

describe('strangers cannot invent routes', () => {
  test.each([
    ['a param', '/tenants/:tenant', '/tenants/'],
    ['a group of a RegExp', /^\/t-(\d+)/, '/t-'],
    ['a RegExp that says nothing', /^\/t-\d+/, '/t-'],
  ])(
    'through %s of a mount: its route gets few values, and the others keep theirs',
    async (_case, mount, start) => {
      const { app } = appUnderTest()
      const tenants = express.Router().get('/x/:item', (_request, response) => void response.end())
      app.use(mount, tenants)
      app.get('/real', (_request, response) => void response.end())
      const counts = await countsAfter(app, [
        ...Array.from({ length: 210 }, (_, n) => `${start}${n}/x/1`),
        '/real',
      ])
      expect(Object.keys(counts)).toHaveLength(5)
      expect(counts).toMatchObject({ '/*/x/:item': 207, '/real': 1 })
    },
  )

  test('and a fixed mount keeps its name, however it is written', async () => {
    const { app } = appUnderTest()
    app.use(
      '/API',
      express.Router().get('/x/:item', (_request, response) => void response.end()),
    )
    expect(await countsAfter(app, ['/api/x/1', '/aPi/x/2'])).toEqual({ '/api/x/:item': 2 })
  })
})
