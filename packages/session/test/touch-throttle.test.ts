import { FakeClock, RecordedReports } from '@stepladder/core/testing'
import { MemorySessionBackend, sessionStore } from '@stepladder/session'
import { describe, expect, test } from 'vitest'

interface Cookie {
  readonly expires?: Date | null
  readonly originalMaxAge?: number | null
  readonly secure?: boolean
}

/** A store that tells how its touches ended, and a request that reads a session and touches it at its end. */
function setUp(touchAfter?: number) {
  const clock = new FakeClock()
  const reports = new RecordedReports()
  const store = sessionStore({
    backend: new MemorySessionBackend({ clock }),
    clock,
    touchAfter,
    report: reports.report,
  })
  const cookieFor = (ms: number) => ({ originalMaxAge: ms, expires: new Date(clock.now() + ms) })
  const read = async (cookie: Cookie) => {
    const session = await store.get<{ cookie: Cookie }>('ada')
    session!.cookie = { ...session!.cookie, ...cookie }
    await store.touch('ada', session!)
  }
  return { clock, store, cookieFor, read, touches: () => reports.outcomes('touch') }
}

const hourMs = 3_600_000

describe('requests that only read', () => {
  test('are written down once in a while, where the cookie says when it ends', async () => {
    const { clock, store, cookieFor, read, touches } = setUp(1_000)
    await store.set('ada', { cookie: cookieFor(hourMs) })

    for (let n = 0; n < 5; n++) {
      await clock.advance(400)
      await read(cookieFor(hourMs))
    }

    expect(touches()).toEqual(['fresh', 'fresh', 'saved', 'fresh', 'fresh'])
  })

  test('are written down once in a while, where it does not', async () => {
    const { clock, store, read, touches } = setUp(1_000)
    await store.set('ada', { cookie: {} })

    for (let n = 0; n < 5; n++) {
      await clock.advance(400)
      await read({})
    }

    expect(touches()).toEqual(['fresh', 'fresh', 'saved', 'fresh', 'fresh'])
  })

  test('are written down after a thousandth of the time that the session may rest', async () => {
    const { clock, store, cookieFor, read, touches } = setUp()
    await store.set('ada', { cookie: cookieFor(hourMs) })
    await clock.advance(hourMs / 1_000 - 1)
    await read(cookieFor(hourMs))
    await clock.advance(1)
    await read(cookieFor(hourMs))

    expect(touches()).toEqual(['fresh', 'saved'])
  })

  test('are written down each time where `touchAfter` is 0', async () => {
    const { store, cookieFor, read, touches } = setUp(0)
    await store.set('ada', { cookie: cookieFor(hourMs) })
    await read(cookieFor(hourMs))
    await read(cookieFor(hourMs))

    expect(touches()).toEqual(['saved', 'saved'])
  })

  test('keep the session alive all the same', async () => {
    const { clock, store, read } = setUp(1_000)
    await store.set('ada', { cookie: {} })
    for (let hours = 0; hours < 48; hours++) {
      await clock.advance(hourMs)
      await read({})
    }

    expect(await store.get('ada')).toBeDefined()
    await clock.advance(24 * hourMs)
    expect(await store.get('ada')).toBeUndefined()
  })
})

describe('a request that changes its cookie and nothing else', () => {
  test.each<[string, (cookieFor: (ms: number) => Cookie) => Cookie]>([
    ['remembers the user for longer', (cookieFor) => cookieFor(24 * hourMs)],
    ['remembers the user for less long', (cookieFor) => cookieFor(hourMs / 2)],
    ['forgets the user with the browser', () => ({ expires: null, originalMaxAge: null })],
    ['sends the cookie over TLS only', () => ({ secure: true })],
  ])('and %s is written down at once', async (_, change) => {
    const { store, cookieFor, read, touches } = setUp(60_000)
    await store.set('ada', { cookie: cookieFor(hourMs) })
    await read(change(cookieFor))

    expect(touches()).toEqual(['saved'])
    const stored = await store.get<{ cookie: Cookie }>('ada')
    expect(stored?.cookie).toMatchObject(JSON.parse(JSON.stringify(change(cookieFor))))
  })
})

test('a session whose record others have ended is not touched by who has just seen it', async () => {
  const { store, cookieFor, read } = setUp(60_000)
  await store.set('ada', { cookie: cookieFor(hourMs) })
  const late = await store.get<{ cookie: Cookie }>('ada')
  await read(cookieFor(hourMs))
  await store.destroy('ada')
  await store.touch('ada', late!)

  expect(await store.get('ada')).toBeUndefined()
})

test('a time that is none is told at once', () => {
  expect(() => sessionStore({ touchAfter: -1 })).toThrow('touchAfter')
  expect(() => sessionStore({ ttl: '1h', touchAfter: '40m' })).toThrow('touchAfter')
})
