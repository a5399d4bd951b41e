import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { quantile, summarise } from '../demo/figures.ts'
import { Ledger } from '../demo/ledger.ts'
import { mostUnderWay, offerLoad } from '../demo/load.ts'
import { rungs } from '../demo/rung.ts'
import { Traffic } from '../demo/traffic.ts'
import type { World } from '../demo/world.ts'

const world: World = {
  airports: ['ORD', 'DFW', 'ATL'],
  days: ['2001-03-31', '2001-03-30', '2001-03-29'],
  flightsFrom: new Map([
    ['ORD', Array.from({ length: 4_000 }, (_, index) => index + 1)],
    ['DFW', [5_000]],
  ]),
  flightsWithWeather: [1, 2],
}

test('a server that stands still for a moment shows in the latency, though few requests met it', async () => {
  const frozenMs = 600
  let standsStill = false
  const origin = await serve(async () => {
    while (standsStill) await sleep(5)
  })
  const freeze = async () => {
    await sleep(500)
    standsStill = true
    await sleep(frozenMs)
    standsStill = false
  }

  const [load] = await Promise.all([
    offerLoad({
      origin,
      traffic: traffic(),
      rate: 200,
      underWay: mostUnderWay,
      warmMs: 0,
      measuredMs: 1_500,
    }),
    freeze(),
  ])

  // A generator that waits for its answers would have sent nothing meanwhile, and seen a handful of late ones.
  const late = load.samples.filter(({ latencyMs }) => latencyMs > 100)
  expect(late.length / load.samples.length).toBeGreaterThan((frozenMs - 150) / 1_500 / 1.5)
  expect(
    quantile(
      load.samples.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b),
      0.99,
    ),
  ).toBeGreaterThan(400)
})

test('the offered rate does not depend on the answers', async () => {
  const origin = await serve(() => sleep(3_000))
  const load = await offerLoad({
    origin,
    traffic: traffic(),
    rate: 400,
    underWay: mostUnderWay,
    warmMs: 0,
    measuredMs: 1_000,
  })
  expect(load.samples.length).toBeGreaterThan(320)
  expect(load.samples.length).toBeLessThan(480)
  expect(load.samples.every(({ isAnswered }) => !isAnswered)).toBe(true)
  expect(summarise(rungs[0]!, load, 1_000)).toMatchObject({ answeredPerSecond: 0, errorShare: 1 })
})

test('the same seed makes the same visits', () => {
  const [first, second] = [traffic(), traffic()]
  const visits = (from: Traffic) =>
    Array.from({ length: 200 }, () => {
      const { settle, customer, ...visit } = from.next()
      settle?.({ status: 201, text: '{"id":"1"}' })
      return { ...visit, customer: customer?.id }
    })
  expect(visits(first)).toEqual(visits(second))
})

test('the busiest airport is asked for most, by Zipf', () => {
  const from = traffic()
  const counts = new Map<string, number>()
  for (let i = 0; i < 6_000; i++) {
    const { path, settle } = from.next()
    settle?.({ status: 0, text: '' })
    const airport = /airports\/(\w+)/.exec(path)?.[1]
    if (airport) counts.set(airport, (counts.get(airport) ?? 0) + 1)
  }
  expect(counts.get('ORD')! / counts.get('DFW')!).toBeCloseTo(2, 0)
  expect(counts.get('ORD')! / counts.get('ATL')!).toBeCloseTo(3, 0)
})

function traffic(): Traffic {
  return new Traffic(world, new Ledger(1_000), 5)
}

async function serve(answer: () => Promise<unknown>): Promise<string> {
  let requests = 0
  const server = createServer(async (_request, response) => {
    // The first ones only open the connections.
    if (++requests > mostUnderWay) await answer()
    response.end('{"id":"1"}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
  })
  // A TCP server that listens has an address of this kind.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
