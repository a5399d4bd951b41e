import { FakeClock, seededRandom, seeds } from '@stepladder/core/testing'
import { createSessions, MemorySessionBackend, type SessionBackend, type Sessions } from '@stepladder/session'
import { expect, test } from 'vitest'
import { aroundCalls } from './around-calls.ts'
import { cookieOf } from './set-up.ts'

interface Data {
  user: string
  /** Stays with a session through all its ids. */
  lineage: number
  views: number
}

const most = 3

/** What two processes do with the sessions of one user at once, each call taking its time. */
class Run {
  readonly clock = new FakeClock()
  readonly backend = new MemorySessionBackend({ clock: this.clock })
  /** Cookies that a browser was given, and whose login was answered. */
  readonly cookies: string[] = []
  readonly loggedIn = new Set<number>()
  readonly revoked = new Set<number>()
  readonly #random: () => number
  readonly #processes: Sessions<Data>[]
  #lineages = 0

  constructor(seed: number, spoil: (place: SessionBackend) => SessionBackend) {
    this.#random = seededRandom(seed)
    this.#processes = [1, 2].map(() =>
      createSessions<Data>({
        ...{ secret: 'for tests only', clock: this.clock, touchAfter: 1_000, maxPerUser: most },
        ...{ rotateEvery: 2_000, rotationGrace: 2_000, timeout: '1m' },
        backend: spoil(aroundCalls(this.backend, (_name, call) => this.#travel(call))),
        userOf: ({ user }) => user,
      }),
    )
  }

  async act(times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      this.clock.jump(Math.floor(this.#random() * 1_500))
      await this.#actOnce().catch((failure) => {
        if (failure.code !== 'SESSION_ENDED') throw failure
      })
    }
  }

  async #actOnce(): Promise<void> {
    const sessions = this.#pick(this.#processes)
    const chance = this.#random()
    if (chance < 0.08) return this.#revokeAll(sessions)
    const cookie = chance < 0.35 ? undefined : this.#pick(this.cookies)
    let session = await sessions.load(cookie)
    session.lineage ??= this.#lineages++
    const { lineage } = session
    if (chance < 0.5) session.user = 'ada'
    else if (chance < 0.6) await session.increment('views')
    else if (chance < 0.75 && session.user) session = await session.regenerate({ keep: true })
    else if (chance < 0.8) return session.destroy()
    else if (chance < 0.9) session.views = Math.floor(chance * 1e6)
    const isAdas = session.user === 'ada'
    const shown = await sessions.commit(session)
    if (isAdas) this.loggedIn.add(lineage)
    if (shown) this.cookies.push(cookieOf(shown))
  }

  async #revokeAll(sessions: Sessions<Data>): Promise<void> {
    const begunBefore = [...this.loggedIn]
    await sessions.of('ada').revokeAll()
    for (const lineage of begunBefore) this.revoked.add(lineage)
  }

  /** Living records that no list names, living sessions that were revoked, and how many are over the limit. */
  async wrong(): Promise<{ unlisted: number; revived: number; tooMany: number }> {
    await this.clock.advance(8 * 60_000)
    const listed = await this.backend.users.list('ada')
    const records = [...(await this.backend.all())].map(([key, text]) => ({ key, ...JSON.parse(text) }))
    const alive = records.filter(({ user }) => user === 'ada')
    return {
      unlisted: alive.filter(({ key }) => !listed.includes(key)).length,
      revived: alive.filter(({ lineage }) => this.revoked.has(lineage)).length,
      tooMany: Math.max(0, alive.length - most),
    }
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)]!
  }

  async #travel<T>(call: () => Promise<T>): Promise<T> {
    await this.#pause()
    const answer = await call()
    await this.#pause()
    return answer
  }

  async #pause(): Promise<void> {
    for (let turns = Math.floor(this.#random() * 5); turns > 0; turns--) await new Promise(setImmediate)
  }
}

async function wrongAfter(seed: number, spoil = (place: SessionBackend) => place) {
  const run = new Run(seed, spoil)
  await run.act(6)
  await Promise.all(Array.from({ length: 6 }, () => run.act(8)))
  return run.wrong()
}

test('however logins, ends, rotations and writes of two processes meet: what lives is listed, what was revoked is dead', async () => {
  for (const seed of seeds(150)) {
    expect(await wrongAfter(seed), `seed ${seed}`).toEqual({ unlisted: 0, revived: 0, tooMany: 0 })
  }
})

test.each<[string, (place: SessionBackend) => SessionBackend]>([
  [
    'a new id that is listed when the old one is over',
    (place) => ({ ...place, users: { ...place.users!, renew: async () => {} } }),
  ],
  [
    'a session that is written once it is listed, and not before',
    (place) => {
      const waiting = new Map<string, string>()
      return {
        ...place,
        put: async (id, text) => void waiting.set(id, text),
        async touch(id, ttlMs) {
          const text = waiting.get(id)
          if (text === undefined) return place.touch(id, ttlMs)
          waiting.delete(id)
          await place.put(id, text, ttlMs)
          return true
        },
      }
    },
  ],
])('%s would go wrong in some', async (_, spoil) => {
  const wrong = { unlisted: 0, revived: 0, tooMany: 0 }
  for (const seed of Array.from({ length: 100 }, (_, index) => index + 1)) {
    const { unlisted, revived, tooMany } = await wrongAfter(seed, spoil)
    wrong.unlisted += unlisted
    wrong.revived += revived
    wrong.tooMany += tooMany
  }
  expect(wrong.unlisted + wrong.revived + wrong.tooMany).toBeGreaterThan(0)
})
