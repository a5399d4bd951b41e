import { FakeClock, seededRandom, seeds } from '@stepladder/core/testing'
import { createSessions, type Sessions, type SessionsOptions } from '@stepladder/session'
import { expect, test } from 'vitest'
import { at, type Fields, Life } from './life.ts'
import { RandomVisit } from './random-visit.ts'
import { ScheduledBackend } from './scheduled-backend.ts'
import { cookieOf } from './set-up.ts'

interface Setting extends Partial<SessionsOptions> {
  readonly Backend?: typeof ScheduledBackend
  readonly faultRate?: number
}

/** Two to four requests of one session, over one or two processes, in an order that the seed makes. */
async function interleave(
  seed: number,
  { Backend = ScheduledBackend, faultRate = 0, ...options }: Setting,
): Promise<{ first: Life; visits: RandomVisit[]; there: Sessions<Fields> }> {
  const random = seededRandom(seed)
  const clock = new FakeClock()
  const backend = new Backend(clock, seed)
  const open = () =>
    createSessions<Fields>({
      secret: 'for tests only',
      backend,
      clock,
      touchAfter: 10,
      idleTimeout: '1h',
      ...options,
    })
  const processes = [open(), open()]
  const begun = await processes[0]!.load(undefined)
  Object.assign(begun, { count: 0, shared: {} })
  const first = new Life()
  first.cookie = cookieOf(await processes[0]!.commit(begun))

  clock.jump(60_000)

  const visits: RandomVisit[] = []
  for (let index = 0; index < 2 + Math.floor(random() * 3); index += 1) {
    const sessions = processes[Math.floor(random() * 2)]!
    visits.push(new RandomVisit(`v${index}`, { life: first, sessions, random, isFaulty: faultRate > 0 }))
  }
  backend.isScheduled = true
  backend.faultRate = faultRate
  await backend.drive(Promise.all(visits.map((visit) => visit.run())))
  backend.isScheduled = false
  return { first, visits, there: processes[1]! }
}

async function check(
  life: Life,
  there: Sessions<Fields>,
  counts?: { least: number; most: number },
): Promise<void> {
  if (life.cookie === undefined) return
  const session = await there.load(life.cookie)
  if (life.isEnded) {
    expect({ ...session }).toEqual({})
    expect(session.info.isNew).toBe(true)
  } else if (!life.isEnding) {
    for (const [path, value] of life.acked) expect([path, at(session, path)]).toEqual([path, value])
    if (!counts) return
    expect(at(session, 'count')).toBeGreaterThanOrEqual(counts.least)
    expect(at(session, 'count')).toBeLessThanOrEqual(counts.most)
  }
}

/** What was acknowledged for a session is in the one that went on with its fields, unless that says otherwise. */
async function checkNext(life: Life, there: Sessions<Fields>): Promise<void> {
  const { next } = life
  if (!next?.cookie || next.isEnding) return
  const session = await there.load(next.cookie)
  for (const [path, value] of life.acked) {
    if (!next.acked.has(path) && !next.doubted.has(path))
      expect([path, at(session, path)]).toEqual([path, value])
  }
  expect(at(session, 'count') ?? 0).toBeGreaterThanOrEqual(life.counted + next.counted)
}

/** How many of so many sessions went well, and the first failure. */
async function campaign(seed: number, count: number, setting: Setting = {}) {
  const ends = { alive: 0, ended: 0, kept: 0, failed: 0 }
  let failure: unknown
  for (let turn = 0; turn < count; turn += 1) {
    const number = seed * 1_000_000 + turn
    try {
      const { first, visits, there } = await interleave(number, setting)
      for (const life of new Set([first, ...visits.map((visit) => visit.life)])) {
        const { counted, tried } = first
        // Where nothing failed, everything was counted.
        const counts = { least: setting.faultRate ? counted : tried, most: tried }
        await check(life, there, life === first ? counts : undefined)
        await checkNext(life, there)
      }
      ends[first.next ? 'kept' : first.isEnded ? 'ended' : 'alive'] += 1
    } catch (cause) {
      failure ??= new Error(`with the number ${number}`, { cause })
      ends.failed += 1
    }
  }
  return { ends, failure }
}

test.each(seeds(2))(
  'of 500 sessions, nothing that was acknowledged is lost, and none that has ended goes on (seed %i)',
  async (seed) => {
    const { ends, failure } = await campaign(seed, 500)
    if (failure) throw failure
    for (const count of [ends.alive, ends.ended, ends.kept]) expect(count).toBeGreaterThan(25)
  },
)

test.each(seeds(1))('the same holds while their ids are rotated (seed %i)', async (seed) => {
  const { failure } = await campaign(seed, 300, { rotateEvery: '1m', rotationGrace: '1m' })
  if (failure) throw failure
})

test.each(seeds(1))('the same holds while calls of the store fail (seed %i)', async (seed) => {
  const { ends, failure } = await campaign(seed, 500, { faultRate: 0.1 })
  if (failure) throw failure
  for (const count of [ends.alive, ends.ended, ends.kept]) expect(count).toBeGreaterThan(25)
})

test('changes are lost, and sessions go on, in a place that writes whatever it is given', async () => {
  class Careless extends ScheduledBackend {
    override async replace(id: string, _expected: string, text: string, ttlMs: number) {
      await this.put(id, text, ttlMs)
      return { isDone: true } as const
    }
  }
  const { ends } = await campaign(1, 100, { Backend: Careless })
  expect(ends.failed).toBeGreaterThan(20)
})
