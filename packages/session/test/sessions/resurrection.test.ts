import { seededRandom, seeds } from '@stepladder/core/testing'
import { describe, expect, test } from 'vitest'
import { Browser } from '../browser.ts'
import { peers } from './peers.ts'
import { Servers } from './servers.ts'

const races = 200

/** Of so many sessions, each ended while other requests are under way: how many the old cookie still opens. */
async function revivedOf(servers: Servers, campaign: number, count = races): Promise<number> {
  const seeds = Array.from({ length: count }, (_, race) => campaign * 1_000 + race)
  let revived = 0
  while (seeds.length > 0) {
    const isRevived = await Promise.all(seeds.splice(0, 25).map((seed) => race(servers, seed)))
    revived += isRevived.filter(Boolean).length
  }
  return revived
}

async function race(servers: Servers, seed: number): Promise<boolean> {
  const random = seededRandom(seed)
  const anyUrl = () => servers.url(Math.floor(random() * 4))
  const delay = () => Math.floor(random() * 20)
  const browser = new Browser(anyUrl())
  await browser.post(`/login/user${seed}`)
  const old = browser.cookie
  const ask = (method: 'GET' | 'POST', path: string) => new Browser(anyUrl(), old).ask(method, path)

  const end = seed % 2 === 0 ? 'logout' : 'regenerate'
  const [, ended] = await Promise.all([
    ask('POST', `/late/${delay()}`),
    ask('POST', `/${end}/${delay()}`),
    ask('POST', `/late/${delay()}`),
    ask('GET', `/late/${delay()}`),
    ask('POST', '/increment'),
    ask('POST', `/late/${delay()}`),
  ])
  expect(ended.status).toBe(200)
  return (await new Browser(anyUrl(), old).session()).user !== undefined
}

describe(`of ${races} sessions that end by a logout or a new id while others save, count and read`, () => {
  describe.each([1, 4])('over %i processes', (processes) => {
    test.each(seeds(1))('none comes back (seed %i)', async (seed) => {
      await using servers = await Servers.start({ processes })
      expect(await revivedOf(servers, seed)).toBe(0)
    })
  })

  test.each(peers)('many come back under express-session, $name', async (peer) => {
    await using servers = await Servers.startPeer(peer)
    expect(await revivedOf(servers, 1, 100)).toBeGreaterThan(10)
  })
})
