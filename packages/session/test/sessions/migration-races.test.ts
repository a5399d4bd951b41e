import { FakeClock, seededRandom, seeds } from '@stepladder/core/testing'
import { createSessions, MemorySessionBackend, type Sessions } from '@stepladder/session'
import session from 'express-session'
import { expect, test } from 'vitest'
import { type Fields, fieldsOf } from './browsing.ts'
import { FaultyBackend } from './faulty-backend.ts'
import { signedCookie } from './signed.ts'

const interleavings = 200
const id = 'the-id-that-express-session-gave'
const secret = 'for tests only'
const shown = signedCookie(id, secret, 'connect.sid')

/** A store that takes its time, and now and then fails: before it was done, or after it. */
function faulty(store: session.Store, random: () => number, faults: () => number): session.Store {
  const pause = (go: () => void) => (random() < 0.5 ? setImmediate(go) : process.nextTick(go))
  const guard =
    (method: 'get' | 'destroy') =>
    (sid: string, callback: (error?: unknown, found?: session.SessionData | null) => void) => {
      const fate = random()
      pause(() => {
        if (fate < faults() / 2) return callback(new Error('the call was lost'))
        store[method](sid, (...answer: [error?: unknown, found?: session.SessionData | null]) =>
          pause(() => (fate < faults() ? callback(new Error('the answer was lost')) : callback(...answer))),
        )
      })
    }
  return { get: guard('get'), destroy: guard('destroy') } as session.Store
}

/** Requests of one person over two processes, while the session is on its way from the old store, and a logout. */
async function play(seed: number) {
  const random = seededRandom(seed)
  const [old, clock] = [new session.MemoryStore(), new FakeClock()]
  const place = new MemorySessionBackend({ clock })
  await new Promise((done) => old.set(id, { cookie: {}, user: 'ada' } as never, done))
  let faults = 0.1
  const backends = [1, 2].map(() => new FaultyBackend(place, random))
  const processes = backends.map((backend) =>
    open(
      backend,
      faulty(old, random, () => faults),
    ),
  )
  function open(backend: MemorySessionBackend | FaultyBackend, migrateFrom: session.Store): Sessions<Fields> {
    const cookie = { name: 'connect.sid', secure: false }
    return createSessions<Fields>({ secret, backend, clock, cookie, migrateFrom, timeout: '5s' })
  }
  for (const backend of backends) backend.faults = faults
  const result = { loggedOut: 0, lost: 0, revived: 0 }
  const acknowledged: string[] = []
  const survive = (request: Promise<void>) =>
    request.catch((failure: { code?: string }) => {
      if (failure.code !== 'SESSION_UNAVAILABLE' && failure.code !== 'SESSION_ENDED') throw failure
      return failure.code
    })
  const change = async (field: string) => {
    const loaded = await processes[random() < 0.5 ? 0 : 1]!.load(shown)
    if (loaded.user !== 'ada') throw Object.assign(new Error('a stranger'), { code: 'SESSION_ENDED' })
    loaded[field] = true
    await processes[0]!.commit(loaded)
    acknowledged.push(field)
  }

  for (let round = 0; round < 3; round++) {
    const requests = Array.from({ length: 4 }, (_, n) => survive(change(`r${round}n${n}`)))
    const ends = await Promise.all(requests)
    result.loggedOut += ends.filter((code) => code === 'SESSION_ENDED').length
  }
  const fields = await fieldsOf(open(place, old), shown)
  result.lost = acknowledged.filter((field) => !(field in fields)).length

  faults = 0
  for (const backend of backends) backend.faults = 0
  // Express-session on a node of before may have written it there once more.
  if (random() < 0.3) await new Promise((done) => old.set(id, { cookie: {}, user: 'ada' } as never, done))
  await Promise.all([
    survive(change('late')),
    survive((async () => (await processes[1]!.load(shown)).destroy())()),
    survive(change('later')),
  ])
  await clock.advance(60 * 60_000)
  if ((await fieldsOf(open(place, old), shown)).user) result.revived += 1
  return result
}

test.each(seeds(1))(
  'in 200 interleavings of a move, nobody is logged out by it, no update is lost and no logout undone (seed %i)',
  async (seed) => {
    const sums = { loggedOut: 0, lost: 0, revived: 0 }
    for (let n = 0; n < interleavings; n++) {
      const played = await play(seed * 10_000 + n)
      for (const [name, count] of Object.entries(played)) sums[name as keyof typeof sums] += count
    }
    expect(sums).toEqual({ loggedOut: 0, lost: 0, revived: 0 })
  },
  60_000,
)
