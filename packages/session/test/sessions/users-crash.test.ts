import {
  MemorySessionBackend,
  type SessionBackend,
  type Sessions,
  type SessionsOptions,
} from '@stepladder/session'
import { describe, expect, test } from 'vitest'
import { aroundCalls, dyingAfter } from './around-calls.ts'
import { type Data, setUp } from './set-up.ts'

const most = 2
const options: Partial<SessionsOptions<Data>> = { userOf: ({ user }) => user, maxPerUser: most }

/** What a process was about to do when it was killed. */
const works: Readonly<Record<string, (sessions: Sessions<Data>, cookies: Cookies) => Promise<unknown>>> = {
  async 'a login'(sessions) {
    const session = await sessions.load(undefined)
    session.user = 'ada'
    await sessions.commit(session)
  },
  async 'a login into a session'(sessions, { anonymous }) {
    const session = await sessions.load(anonymous)
    session.user = 'ada'
    await sessions.commit(session)
  },
  async 'a login by an update'(sessions, { anonymous }) {
    const session = await sessions.load(anonymous)
    await session.update((fields) => void Object.assign(fields, { user: 'ada' }))
  },
  async 'a change of user'(sessions, { adas }) {
    const session = await sessions.load(adas)
    session.user = 'bob'
    await sessions.commit(session)
  },
  async 'a regenerate that keeps the fields'(sessions, { adas }) {
    await (await sessions.load(adas)).regenerate({ keep: true })
  },
  async 'a logout'(sessions, { adas }) {
    await (await sessions.load(adas)).destroy()
  },
  async 'a touch'(sessions, { adas }) {
    await sessions.commit(await sessions.load(adas))
  },
  async 'an end of all'(sessions) {
    await sessions.of('ada').revokeAll()
  },
}

interface Cookies {
  readonly adas: string
  readonly anonymous: string
}

/** How many calls the work took until it was done, having been killed after each of them. */
async function killedAtEachStep(
  work: (sessions: Sessions<Data>, cookies: Cookies) => Promise<unknown>,
  spoil: (place: SessionBackend) => SessionBackend = (place) => place,
): Promise<{ calls: number; unlisted: number; tooMany: number }> {
  const count = { calls: 0, unlisted: 0, tooMany: 0 }
  for (let isDone = false; !isDone; count.calls += 1) {
    const { begun, backend, clock } = setUp(options)
    const anonymous = await begun({ views: 1 })
    await begun({ user: 'ada' })
    const adas = await begun({ user: 'ada' })
    await clock.advance(120_000)

    const place = spoil(aroundCalls(backend, dyingAfter(count.calls)))
    const { sessions } = setUp({ ...options, clock }, () => place)
    isDone = await work(sessions, { adas, anonymous }).then(
      () => true,
      () => false,
    )
    await clock.advance(10_000)
    const alive = await livingOf(backend)
    count.unlisted += alive.filter(({ isListed }) => !isListed).length
    count.tooMany += Math.max(0, alive.filter(({ user }) => user === 'ada').length - most)
  }
  return count
}

async function livingOf(backend: MemorySessionBackend) {
  const records = [...(await backend.all())]
  const owned = records.map(([key, text]) => ({ key, user: JSON.parse(text).user as string | undefined }))
  const lists = owned.map(async ({ key, user }) => ({
    user,
    isListed: user === undefined || (await backend.users.list(user)).includes(key),
  }))
  return Promise.all(lists)
}

describe('a process that is killed at any step of', () => {
  test.each(Object.entries(works))('%s leaves no living session that is not listed', async (_, work) => {
    const { calls, ...wrong } = await killedAtEachStep(work)
    expect(wrong).toEqual({ unlisted: 0, tooMany: 0 })
    expect(calls).toBeGreaterThan(2)
  })

  test('a login would leave some, had the session its full time at once', async () => {
    const atOnce = (place: SessionBackend): SessionBackend => ({
      ...place,
      put: (id, text) => place.put(id, text, 86_400_000),
    })
    const { unlisted, tooMany } = await killedAtEachStep(works['a login']!, atOnce)
    expect(unlisted).toBeGreaterThan(0)
    expect(tooMany).toBeGreaterThan(0)
  })
})

test('a login asks the store three times, and twice more with one session over the limit; a read asks once', async () => {
  const calls: string[] = []
  const { begun, sessions } = setUp(options, (clock) =>
    aroundCalls(new MemorySessionBackend({ clock }), (name, call) => {
      calls.push(name)
      return call()
    }),
  )
  const cookie = await begun({ user: 'ada' })
  expect(calls.splice(0)).toEqual(['put', 'users.admit', 'touch'])
  await sessions.commit(await sessions.load(cookie))
  expect(calls.splice(0)).toEqual(['get'])

  await begun({ user: 'ada' })
  calls.splice(0)
  await begun({ user: 'ada' })
  expect(calls).toEqual(['put', 'users.admit', 'destroy', 'users.remove', 'touch'])
})
