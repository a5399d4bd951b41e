import type { Duration, EncryptOptions } from '@stepladder/core'
import { FakeClock, RecordedReports } from '@stepladder/core/testing'
import { createSessions, MemorySessionBackend, type Sessions } from '@stepladder/session'
import { describe, expect, test } from 'vitest'
import { begin, cookieOf, type Fields, fieldsOf } from './browsing.ts'

interface Given {
  rotateEvery?: Duration
  rotationGrace?: Duration
  idleTimeout?: Duration
  hashIds?: boolean
  encrypt?: EncryptOptions
}

const minute = 60_000

function setUp(given: Given = {}, backend?: MemorySessionBackend) {
  const clock = new FakeClock()
  const place = backend ?? new MemorySessionBackend({ clock })
  const { report, all } = new RecordedReports()
  const options = { rotateEvery: '15m', ...given } as const
  const sessions = createSessions<Fields>({
    secret: 'for tests only',
    backend: place,
    clock,
    report,
    ...options,
  })
  return { sessions, clock, backend: place, all }
}

/** One request that changes nothing; resolves to the cookie that the browser has then. */
async function visit(sessions: Sessions<Fields>, cookie: string): Promise<string> {
  const setCookie = await sessions.commit(await sessions.load(cookie))
  return setCookie === undefined ? cookie : cookieOf(setCookie)
}

async function rotated(given: Given = {}) {
  const all = setUp(given)
  const old = await begin(all.sessions, { user: 'ada' })
  await all.clock.advance(15 * minute)
  const fresh = await visit(all.sessions, old)
  expect(fresh).not.toBe(old)
  return { ...all, old, fresh }
}

describe('with `rotateEvery`', () => {
  test.each<[string, Given]>([
    ['as it is by default', {}],
    ['with plain ids', { hashIds: false }],
    ['with encryption', { encrypt: { keys: [{ id: 'one', key: Buffer.alloc(32, 1) }] } }],
  ])('a session gets a new id now and then, and keeps its fields: %s', async (_, given) => {
    const { sessions, clock } = setUp(given)
    const cookies = [await begin(sessions, { user: 'ada' })]
    for (let visits = 0; visits < 12; visits++) {
      await clock.advance(5 * minute)
      cookies.push(await visit(sessions, cookies.at(-1)!))
    }

    expect(new Set(cookies).size).toBe(1 + 4)
    expect(await fieldsOf(sessions, cookies.at(-1)!)).toEqual({ user: 'ada' })
  })

  test('a session is as old as it was when it got a new id, and over as early', async () => {
    const { sessions, clock } = setUp({ idleTimeout: '20m' })
    const first = await begin(sessions, { user: 'ada' })
    const { createdAt } = (await sessions.load(first)).info
    let cookie = first
    for (let days = 0; days < 30; days += 1) {
      expect((await sessions.load(cookie)).info.createdAt).toBe(createdAt)
      for (let hours = 0; hours < 24 * 4; hours++) {
        await clock.advance(15 * minute)
        cookie = await visit(sessions, cookie)
      }
    }
    expect(await fieldsOf(sessions, cookie)).toEqual({})
  })

  test('nobody is asked more often than without it, but when it is time', async () => {
    const { sessions, clock, all, fresh } = await rotated()
    await visit(sessions, fresh)
    await clock.advance(1_000)
    all.length = 0
    await visit(sessions, fresh)

    expect(all.map(({ operation, outcome }) => [operation, outcome])).toEqual([['get', 'hit']])
  })
})

describe('the old id', () => {
  test('is let in for the grace after the new one was shown, and not after it', async () => {
    const { sessions, clock, old, fresh } = await rotated({ rotationGrace: '30s' })
    expect(await fieldsOf(sessions, old)).toEqual({ user: 'ada' })

    await visit(sessions, fresh)
    await clock.advance(29_999)
    await visit(sessions, fresh) // the grace does not begin anew
    expect(await fieldsOf(sessions, old)).toEqual({ user: 'ada' })
    await clock.advance(1)

    expect(await fieldsOf(sessions, old)).toEqual({})
    expect(await fieldsOf(sessions, fresh)).toEqual({ user: 'ada' })
  })

  test('is let in as long as the new one was lost on its way to the browser', async () => {
    const { sessions, clock, old, fresh } = await rotated()
    await clock.advance(10 * 60 * minute)

    expect(await visit(sessions, old)).toBe(fresh)
    expect(await fieldsOf(sessions, fresh)).toEqual({ user: 'ada' })
  })

  test('does not let in for longer than a session may rest', async () => {
    const { sessions, clock, old } = await rotated({ idleTimeout: '1h' })
    await clock.advance(60 * minute)
    expect(await fieldsOf(sessions, old)).toEqual({})
  })

  test('brings the new one with each response, in every tab, and the same', async () => {
    const { sessions, clock } = setUp()
    const old = await begin(sessions, { user: 'ada' })
    await clock.advance(15 * minute)

    const shown = await Promise.all(Array.from({ length: 20 }, () => visit(sessions, old)))
    const again = await Promise.all(Array.from({ length: 20 }, () => visit(sessions, old)))

    expect(new Set(again).size).toBe(1)
    // Those that came at the same time as the first either have the new one, or are still let in with the old.
    expect(new Set(shown)).toEqual(new Set([old, again[0]]))
  })

  test('leads on for what was under way, however long that takes', async () => {
    const { sessions, clock } = setUp()
    const old = await begin(sessions, { user: 'ada' })
    await clock.advance(15 * minute - 1)
    const [upload, counter, reader] = await Promise.all([1, 2, 3].map(() => sessions.load(old)))
    await clock.advance(1)
    const fresh = await visit(sessions, old)
    await visit(sessions, fresh)
    await clock.advance(10 * minute)

    upload!.file = 'saved'
    await sessions.commit(upload!)
    await counter!.increment('views')
    await reader!.reload()

    expect(await fieldsOf(sessions, fresh)).toEqual({ user: 'ada', file: 'saved', views: 1 })
    expect({ ...reader }).toEqual({ user: 'ada', file: 'saved', views: 1 })
  })

  test.each([
    ['that was shown', (old: string) => old],
    ['that is new', (_old: string, fresh: string) => fresh],
  ])('and the new one end together, by a logout with the one %s', async (_, pick) => {
    const { sessions, old, fresh, backend } = await rotated()
    const session = await sessions.load(pick(old, fresh))
    await session.destroy()

    for (const cookie of [old, fresh]) expect(await fieldsOf(sessions, cookie)).toEqual({})
    expect([...(await backend.all()).values()].join()).not.toContain('ada')
  })

  test('ends the session even by a logout that took longer than the grace', async () => {
    const { sessions, clock } = setUp()
    const old = await begin(sessions, { user: 'ada' })
    const logout = await sessions.load(old)
    await clock.advance(15 * minute)
    const fresh = await visit(sessions, old)
    await visit(sessions, fresh)
    await clock.advance(minute)

    await logout.destroy()

    expect(await fieldsOf(sessions, fresh)).toEqual({})
  })

  test('takes no change any more once the session has ended, be it one that changes nothing', async () => {
    const { sessions, clock, backend } = setUp()
    const { sessions: patient } = setUp({ rotateEvery: '1d' }, backend)
    const old = await begin(sessions, { user: 'ada' })
    // By its clock the record was written in this very millisecond, so that it would be written as it is.
    const late = await patient.load(old)
    await clock.advance(15 * minute)
    await (await sessions.load(await visit(sessions, old))).destroy()

    await expect(late.update(() => 'nothing')).rejects.toMatchObject({ code: 'SESSION_ENDED' })
  })

  test('and the new one cannot be read in the store', async () => {
    const { sessions, old, backend } = await rotated()
    const stored = [...(await backend.all())].flat().join()
    const id = decodeURIComponent(old).split(/[:.]/)[1]!
    const fresh = (await sessions.load(old)).id

    expect(stored).not.toContain(id)
    expect(stored).not.toContain(fresh)
  })
})

describe('when the store fails during a rotation', () => {
  test.each(['put', 'replace'] as const)(
    'at %s, the request goes on, and so does the session',
    async (at) => {
      const { sessions, clock, backend, all } = setUp()
      const old = await begin(sessions, { user: 'ada' })
      await clock.advance(15 * minute)
      const sound = backend[at]
      backend[at] = async () => {
        throw new Error('gone')
      }

      const session = await sessions.load(old)
      expect({ ...session }).toEqual({ user: 'ada' })
      expect(all.some(({ outcome }) => outcome === 'failed')).toBe(true)
      Object.assign(backend, { [at]: sound })

      const fresh = await visit(sessions, old)
      expect(fresh).not.toBe(old)
      expect(await fieldsOf(sessions, fresh)).toEqual({ user: 'ada' })
    },
  )

  test('and its answer is lost, the next request is given the new id', async () => {
    const { sessions, clock, backend } = setUp()
    const old = await begin(sessions, { user: 'ada' })
    await clock.advance(15 * minute)
    const { replace } = backend
    backend.replace = async (...args) => {
      await replace.apply(backend, args)
      throw new Error('the answer was lost')
    }
    expect({ ...(await sessions.load(old)) }).toEqual({ user: 'ada' })
    backend.replace = replace

    const fresh = await visit(sessions, old)
    expect(fresh).not.toBe(old)
    expect(await fieldsOf(sessions, fresh)).toEqual({ user: 'ada' })
  })
})

test.each([
  [{ rotateEvery: '10s' }, 'rotateEvery'],
  [{ rotateEvery: '-1s' }, 'rotateEvery'],
  [{ rotateEvery: '1m', rotationGrace: 'soon' }, 'rotationGrace'],
])('the options %j are refused by name', (options, option) => {
  const secret = 'for tests only'
  // Wrong on purpose.
  expect(() => createSessions({ secret, ...(options as Given) })).toThrow(expect.objectContaining({ option }))
})
