import { FakeClock, keyPrefix, seededRandom, seeds, sharedRedis } from '@stepladder/core/testing'
import {
  createSessions,
  MemorySessionBackend,
  RedisSessionBackend,
  type Session,
  type SessionBackend,
  type Sessions,
} from '@stepladder/session'
import { afterEach, describe, expect, test } from 'vitest'
import { cookieOf, type Fields } from './browsing.ts'
import { FaultyBackend } from './faulty-backend.ts'

const graceMs = 30_000

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** A browser with several tabs, over two processes that lose answers, while the clock goes on between the rounds. */
class Campaign {
  readonly clock = new FakeClock()
  readonly #random: () => number
  readonly #backends: FaultyBackend[]
  readonly #processes: Sessions<Fields>[]
  /** Rotates nothing. */
  readonly #onlooker: Sessions<Fields>
  /** Every cookie that the browser was ever given, and which it has now. */
  readonly cookies = new Set<string>()
  cookie = ''
  readonly acknowledged = new Set<string>()
  /** How often a cookie that the browser had when it asked was not let in. */
  loggedOut = 0
  #isEnding = false
  #fields = 0
  readonly #rotate: 'grace' | 'rename'

  constructor(seed: number, place: SessionBackend, rotate: 'grace' | 'rename') {
    this.#random = seededRandom(seed)
    this.#rotate = rotate
    this.#backends = [1, 2].map(() => new FaultyBackend(place, this.#random))
    const common = { secret: 'for tests only', clock: this.clock, timeout: '5s' } as const
    this.#onlooker = createSessions<Fields>({ ...common, backend: place })
    const options = rotate === 'grace' ? { rotateEvery: graceMs, rotationGrace: graceMs } : {}
    this.#processes = this.#backends.map((backend) =>
      createSessions<Fields>({ ...common, backend, ...options }),
    )
  }

  async run(): Promise<void> {
    await this.#begin()
    for (const backend of this.#backends) backend.faults = 0.05
    for (let round = 0; round < 6; round++) {
      await this.clock.advance(this.#random() < 0.6 ? graceMs : 1_000)
      await Promise.all(Array.from({ length: 4 }, () => this.#survive(() => this.#request())))
    }
  }

  /** A logout, while other tabs are under way with what they have. */
  async end(): Promise<void> {
    await this.clock.advance(graceMs)
    this.#isEnding = true
    const shown = this.cookie
    for (const backend of this.#backends) backend.faults = 0
    await Promise.all([
      this.#survive(() => this.#request(shown)),
      this.#survive(() => this.#request(shown)),
      this.#logout(shown),
      this.#survive(() => this.#request(shown)),
    ])
  }

  async fieldsOf(cookie: string): Promise<Record<string, unknown>> {
    return { ...(await this.#onlooker.load(cookie)) }
  }

  /** Until the browser has the newest cookie, and has shown it. */
  async settle(): Promise<void> {
    for (const backend of this.#backends) backend.faults = 0
    for (let visits = 0; visits < 4; visits++) {
      const [sessions] = this.#processes
      this.#take(await sessions!.commit(await sessions!.load(this.cookie)))
    }
  }

  async #begin(): Promise<void> {
    const [sessions] = this.#processes
    const session = await sessions!.load(undefined)
    Object.assign(session, { user: 'ada' })
    this.#take(await sessions!.commit(session))
  }

  async #request(cookie: string = this.cookie): Promise<void> {
    const sessions = this.#processes[this.#random() < 0.5 ? 0 : 1]!
    const session: Record<string, unknown> & Session<Fields> = await sessions.load(cookie)
    if (session.user !== 'ada') {
      if (!this.#isEnding) this.loggedOut += 1
      return
    }
    const field = `n${this.#fields++}`
    if (this.#random() < 0.7) session[field] = true
    else await session.increment(field)
    const setCookie = await this.#finish(sessions, session)
    this.acknowledged.add(field)
    // The browser has left, or the answer was lost.
    if (this.#random() < 0.8) this.#take(setCookie)
  }

  async #finish(sessions: Sessions<Fields>, session: Session<Fields>): Promise<string | undefined> {
    const isDue = this.#rotate === 'rename' && this.#random() < 0.3
    return sessions.commit(isDue ? await session.regenerate({ keep: true }) : session)
  }

  async #logout(cookie: string): Promise<void> {
    const session = await this.#processes[0]!.load(cookie)
    await session.destroy()
  }

  #take(setCookie: string | undefined): void {
    if (setCookie === undefined || setCookie.includes('Max-Age=0')) return
    this.cookie = cookieOf(setCookie)
    this.cookies.add(this.cookie)
  }

  /** A request that failed was not acknowledged, so that nothing is to be expected of it. */
  async #survive(request: () => Promise<void>): Promise<void> {
    try {
      await request()
    } catch (failure) {
      const { code } = failure as { code?: string }
      if (code !== 'SESSION_UNAVAILABLE' && code !== 'SESSION_ENDED') throw failure
      if (code === 'SESSION_ENDED' && !this.#isEnding) this.loggedOut += 1
    }
  }
}

async function play(campaign: Campaign) {
  await campaign.run()
  const fields = await campaign.fieldsOf(campaign.cookie)
  const lost = [...campaign.acknowledged].filter((field) => !(field in fields))
  await campaign.settle()
  await campaign.clock.advance(graceMs)
  let letIn = 0
  for (const cookie of campaign.cookies) if ((await campaign.fieldsOf(cookie)).user) letIn += 1
  await campaign.end()
  let revived = 0
  for (const cookie of campaign.cookies) if ((await campaign.fieldsOf(cookie)).user) revived += 1
  return { loggedOut: campaign.loggedOut, lost: lost.length, letIn, revived, ids: campaign.cookies.size }
}

async function playAll(
  seed: number,
  count: number,
  place: SessionBackend,
  rotate: 'grace' | 'rename' = 'grace',
) {
  const sums = { loggedOut: 0, lost: 0, letIn: 0, revived: 0, ids: 0 }
  for (let n = 0; n < count; n++) {
    const played = await play(new Campaign(seed * 10_000 + n, place, rotate))
    for (const [name, count] of Object.entries(played)) sums[name as keyof typeof sums] += count
  }
  return sums
}

describe('in interleavings of tabs, rotations, lost answers and logouts over two processes', () => {
  const places: [string, number, () => Promise<SessionBackend>][] = [
    ['memory', 100, async () => new MemorySessionBackend()],
    [
      'Redis',
      25,
      async () => {
        const backend = new RedisSessionBackend({
          redis: (await sharedRedis()).url,
          prefix: keyPrefix(),
          commandTimeoutMs: 5_000,
        })
        opened.push(() => backend.close())
        return backend
      },
    ],
  ]
  const arms = places.flatMap(([name, count, open]) =>
    seeds(1).map((seed) => [name, seed, count, open] as const),
  )

  test.each(arms)(
    'nobody is logged out, no update is lost and no session comes back: %s, seed %i',
    async (_, seed, count, open) => {
      const { ids, ...sums } = await playAll(seed, count, await open())

      // One id of each session is let in, once the grace of the others is over.
      expect(sums).toEqual({ loggedOut: 0, lost: 0, letIn: count, revived: 0 })
      expect(ids).toBeGreaterThan(2 * count)
    },
    120_000,
  )

  test('tabs are logged out by an app that regenerates the id now and then', async () => {
    const { loggedOut } = await playAll(1, 40, new MemorySessionBackend(), 'rename')
    expect(loggedOut).toBeGreaterThan(40)
  })
})
