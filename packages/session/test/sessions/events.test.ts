import type { SessionHooks, SessionsOptions } from '@stepladder/session'
import { afterEach, describe, expect, test } from 'vitest'
import { type Data, setUp } from './set-up.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** Sessions with hooks that note what they hear. */
function heard(options: Partial<SessionsOptions<Data>> = {}) {
  const events: string[] = []
  const on: SessionHooks = {
    created: ({ user }) => events.push(`created ${user}`),
    destroyed: ({ user, reason }) => events.push(`destroyed ${user}: ${reason}`),
    expired: ({ user }) => events.push(`expired ${user}`),
  }
  const all: Partial<SessionsOptions<Data>> = { userOf: ({ user }) => user, on, ...options }
  const up = setUp(all)
  opened.push(() => up.sessions.close())
  const another = () => {
    const { sessions } = setUp({ ...all, clock: up.clock }, () => up.backend)
    opened.push(() => sessions.close())
    return sessions
  }
  return { ...up, events, another }
}

describe('hooks', () => {
  test('hear of each session that begins and ends, and why', async () => {
    const { begun, sessions, events } = heard({ maxPerUser: 3 })
    const [out, again] = [await begun({ user: 'ada' }), await begun({ user: 'ada' })]
    await begun({ user: 'ada' })
    await begun({ user: 'bob' })
    expect(events.splice(0)).toEqual(['created ada', 'created ada', 'created ada', 'created bob'])

    await (await sessions.load(out)).destroy()
    expect(events.splice(0)).toEqual(['destroyed ada: logout'])
    await (await sessions.load(again)).regenerate({ keep: true })
    expect(events.splice(0)).toEqual(['destroyed ada: regenerate', 'created ada'])
    await begun({ user: 'ada' })
    await begun({ user: 'ada' })
    expect(events.splice(0)).toEqual(['created ada', 'destroyed ada: limit', 'created ada'])
    await sessions.of('ada').revokeAll()
    expect(events.splice(0)).toEqual(Array(3).fill('destroyed ada: revoked'))
    await sessions.clear()
    expect(events).toEqual(['destroyed bob: revoked'])
  })

  test('are told what can be known of a session without its fields', async () => {
    const told: unknown[] = []
    const { begun, sessions, clock } = heard({ on: { created: (event) => told.push(event) } })
    await begun({ user: 'ada', text: 'secret' })

    const [{ handle }] = (await sessions.of('ada').list()) as never as [{ handle: string }]
    expect(told).toEqual([{ handle, user: 'ada', createdAt: clock.now() }])
  })

  test('that throw or reject are reported, and harm no request', async () => {
    const { begun, reports } = heard({
      on: {
        created() {
          throw new Error('first')
        },
        async destroyed() {
          throw new Error('second')
        },
      },
    })
    await expect(begun({ user: 'ada' })).resolves.toBeDefined()
    expect(reports.all).toContainEqual(
      expect.objectContaining({ operation: 'hook', outcome: 'failed', cause: new Error('first') }),
    )
  })

  test('hear once of an end that several ask for at once', async () => {
    const { begun, sessions, events, another } = heard()
    const cookie = await begun({ user: 'ada' })
    const loaded = await Promise.all([sessions, another(), sessions].map((each) => each.load(cookie)))

    await Promise.all([...loaded.map((session) => session.destroy()), sessions.of('ada').revokeAll()])

    expect(events.filter((event) => event.startsWith('destroyed'))).toHaveLength(1)
  })
})

describe('the hook for sessions that expired', () => {
  test('hears of each once, whichever process sees it', async () => {
    const { begun, events, clock, another } = heard({ idleTimeout: '10m' })
    for (let process = 0; process < 3; process++) another()
    await begun({ user: 'ada' })
    await begun({ views: 1 })

    await clock.advance(11 * 60_000)
    expect(events.filter((event) => event.startsWith('expired')).sort()).toEqual([
      'expired ada',
      'expired undefined',
    ])
    await clock.advance(60 * 60_000)
    expect(events.filter((event) => event.startsWith('expired'))).toHaveLength(2)
  })

  test('hears nothing of sessions that are used, or that were ended', async () => {
    const { begun, events, clock, sessions } = heard({ idleTimeout: '10m' })
    const [used, out] = [await begun({ user: 'ada' }), await begun({ user: 'bob' })]
    await (await sessions.load(out)).destroy()
    for (let minutes = 0; minutes < 60; minutes += 5) {
      await clock.advance(5 * 60_000)
      await sessions.commit(await sessions.load(used))
    }
    expect(events).toEqual(['created ada', 'created bob', 'destroyed bob: logout'])

    await clock.advance(11 * 60_000)
    expect(events.slice(3)).toEqual(['expired ada'])
  })

  test('hears of a session under its last id, not of those that it had before', async () => {
    const { begun, events, clock, sessions } = heard({ idleTimeout: '10m', rotateEvery: '2m' })
    let cookie = await begun({ user: 'ada' })
    for (let minutes = 0; minutes < 12; minutes += 3) {
      await clock.advance(3 * 60_000)
      const session = await sessions.load(cookie)
      expect(session.user).toBe('ada')
      cookie = (await sessions.commit(session))?.split(';')[0] ?? cookie
    }
    expect(events).toEqual(['created ada'])

    await clock.advance(30 * 60_000)
    expect(events).toEqual(['created ada', 'expired ada'])
  })

  test('is refused where the place cannot tell', () => {
    expect(() =>
      setUp({ on: { expired: () => {} } }, () => ({ ...setUp().backend, expiries: undefined }) as never),
    ).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    expect(() => setUp({ on: { ended: () => {} } as never })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  })
})
