import { seeds } from '@stepladder/core/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser } from '../browser.ts'
import { peers } from './peers.ts'
import { Servers } from './servers.ts'

const requests = 200

/** Sends all requests at once, spread over the servers, to a session of `user`; resolves to what it holds then. */
async function sessionAfter(servers: Servers, route: string, user: string): Promise<Record<string, unknown>> {
  const browser = new Browser(servers.url(0))
  expect(await browser.post(`/login/${user}`)).toBe(200)
  const statuses = await Promise.all(
    Array.from({ length: requests }, (_, n) =>
      new Browser(servers.url(n), browser.cookie).post(route.replace(':n', `n${n}`)),
    ),
  )
  expect(new Set(statuses)).toEqual(new Set([200]))
  return browser.session()
}

function kept(fields: unknown): number {
  return Object.keys(fields ?? {}).filter((name) => /^n\d+$/.test(name)).length
}

describe.each([1, 4])(`of ${requests} requests at once over %i processes`, (processes) => {
  let servers: Servers
  beforeAll(async () => {
    servers = await Servers.start({ processes, together: requests })
  })
  afterAll(() => servers[Symbol.asyncDispose]())

  test.each(seeds(2))('each keeps the field that it sets (seed %i)', async (seed) => {
    expect(kept(await sessionAfter(servers, '/fields/:n', `user${seed}`))).toBe(requests)
  })

  test.each(seeds(2))('each keeps the field that it sets in a nested object (seed %i)', async (seed) => {
    expect(kept((await sessionAfter(servers, '/nested/:n', `user${seed}`)).cart)).toBe(requests)
  })

  test.each(seeds(2))('each is counted by increment (seed %i)', async (seed) => {
    expect((await sessionAfter(servers, '/increment', `user${seed}`)).count).toBe(requests)
  })
})

test.each(peers)('under express-session, $name loses most of them', async (peer) => {
  await using servers = await Servers.startPeer(peer, requests)
  expect(kept(await sessionAfter(servers, '/fields/:n', 'ada'))).toBeLessThan(requests / 2)
  expect((await sessionAfter(servers, '/increment', 'bob')).count).toBeLessThan(requests / 2)
})
