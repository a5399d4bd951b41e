import { seededRandom, seeds } from '@stepladder/core/testing'
import { createSessions, type SessionBackend, type Sessions } from '@stepladder/session'
import { expect, test } from 'vitest'
import { EventClock } from './event-clock.ts'
import { NaiveNear } from './naive-near.ts'
import { type Connection, ToldPlace } from './told-place.ts'

/*
 * Processes share a place, over a network that delays what they ask and what they are told, and cuts what they are
 * told by. After a change is acknowledged, no read that begins later than the fence may know less, and none of the
 * process that made it, at any time.
 */

const fenceMs = 1_000
const endsAtMs = 6_000

interface Data {
  n: number
}

interface Process {
  readonly sessions: Sessions<Data>
  readonly connection: Connection
  /** The changes it made itself, as far as they were acknowledged. */
  own: number
}

/** What makes a process of a place: ours, or one without a guard. */
type Open = (backend: SessionBackend, clock: EventClock) => Sessions<Data>

let hits = 0

const near: Open = (backend, clock) =>
  createSessions<Data>({
    secret: 'for tests only',
    backend,
    clock,
    nearCache: { fence: fenceMs },
    report({ operation, outcome }) {
      if (operation === 'near' && outcome === 'hit') hits += 1
    },
  })

const withoutFence: Open = (backend, clock) => {
  const follow: SessionBackend['follow'] = (listener, options) => {
    const feed = backend.follow!(listener, options)
    return { heardUntil: Number.POSITIVE_INFINITY, close: () => feed.close() }
  }
  return near({ ...backend, follow }, clock)
}

const withoutGuard: Open = (backend, clock) =>
  createSessions<Data>({ secret: 'for tests only', backend: new NaiveNear(backend, fenceMs, clock), clock })

class World {
  readonly stale: string[] = []
  reads = 0
  readonly #clock = new EventClock()
  readonly #random: () => number
  readonly #processes: Process[]
  #cookie = ''
  /** Each acknowledged change: what the count came to, its end being beyond all, and when. */
  readonly #done: { n: number; at: number }[] = []

  constructor(seed: number, open: Open) {
    this.#random = seededRandom(seed)
    const delays = {
      call: () => this.#upTo(60),
      told: () => (this.#random() < 0.03 ? this.#upTo(3_000) : this.#upTo(90)),
    }
    const place = new ToldPlace(this.#clock, delays)
    this.#processes = [1, 2, 3].map(() => {
      const { backend, connection } = place.connect()
      return { sessions: open(backend, this.#clock), connection, own: 0 }
    })
  }

  async run(): Promise<void> {
    void this.#begin()
    await this.#clock.run(300)
    for (let n = 0; n < 60; n++) this.#at(this.#upTo(endsAtMs), (process) => this.#read(process))
    for (let n = 0; n < 6; n++) this.#at(this.#upTo(endsAtMs / 2), (process) => this.#change(process))
    this.#at(this.#upTo(endsAtMs), (process) => this.#end(process))
    for (let n = 0; n < 2; n++) {
      this.#at(this.#upTo(endsAtMs), async ({ connection }) => connection.cut(this.#upTo(2_000)))
    }
    await this.#clock.run(endsAtMs + 500)
    await Promise.all(this.#processes.map(({ sessions }) => sessions.close()))
  }

  async #begin(): Promise<void> {
    const { sessions } = this.#processes[0]!
    const session = await sessions.load(undefined)
    Object.assign(session, { n: 0 })
    this.#cookie = (await sessions.commit(session))!.split(';')[0]!
  }

  async #read(process: Process): Promise<void> {
    const begunAt = this.#clock.monotonic()
    const due = Math.max(
      process.own,
      ...this.#done.filter(({ at }) => at + fenceMs < begunAt).map(({ n }) => n),
    )
    const { n = Number.POSITIVE_INFINITY } = await process.sessions.load(this.#cookie)
    this.reads += 1
    if (n < due) this.stale.push(`read ${n} instead of ${due} at ${begunAt}`)
  }

  async #change(process: Process): Promise<void> {
    const session = await process.sessions.load(this.#cookie, { fresh: true })
    const n = await session.increment('n').catch(() => undefined)
    if (n !== undefined) this.#note(process, n)
  }

  async #end(process: Process): Promise<void> {
    const session = await process.sessions.load(this.#cookie)
    if (session.info.isNew) return
    await session.destroy()
    this.#note(process, Number.POSITIVE_INFINITY)
  }

  #note(process: Process, n: number): void {
    process.own = Math.max(process.own, n)
    this.#done.push({ n, at: this.#clock.monotonic() })
  }

  #at(ms: number, act: (process: Process) => Promise<void>): void {
    const process = this.#processes[Math.floor(this.#upTo(this.#processes.length))]!
    this.#clock.after(ms, () => {
      // A call that found the place too slow has failed, which is no stale read.
      act(process).catch(() => {})
    })
  }

  #upTo(most: number): number {
    return this.#random() * most
  }
}

/** Ten worlds for each seed: one is over soon. */
async function staleReads(all: readonly number[], open: Open): Promise<{ stale: string[]; reads: number }> {
  const stale: string[] = []
  let reads = 0
  for (const number of all.flatMap((seed) => Array.from({ length: 10 }, (_, n) => 10 * seed + n))) {
    const world = new World(number, open)
    await world.run()
    stale.push(...world.stale.map((each) => `world ${number}: ${each}`))
    reads += world.reads
  }
  return { stale, reads }
}

test('no read knows less than what was acknowledged before the fence, however messages go', async () => {
  const { stale, reads } = await staleReads(seeds(25), near)

  expect(stale).toEqual([])
  // Else it would say nothing of memory.
  expect(hits).toBeGreaterThan(reads / 4)
}, 600_000)

test('the same harness finds stale reads where memory is trusted without a fence', async () => {
  expect((await staleReads(seeds(5), withoutFence)).stale).not.toEqual([])
}, 600_000)

test('the same harness finds stale reads where a change does not overtake a read that is under way', async () => {
  expect((await staleReads(seeds(5), withoutGuard)).stale).not.toEqual([])
}, 600_000)
