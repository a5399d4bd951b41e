import { AsyncLocalStorage } from 'node:async_hooks'
import { keyPrefix, sharedRedis } from '@stepladder/core/testing'
import { createSessions, type Sessions, type SessionsOptions } from '@stepladder/session'
import { afterEach, describe, expect, test } from 'vitest'
import { cookieOf } from './set-up.ts'

type Data = Record<string, unknown>

/** Which request asks, as apps and traces know it. */
const request = new AsyncLocalStorage<string>()
const names = ['ada', 'bob', 'cyd', 'dan']

let sessions: Sessions<Data>
afterEach(() => sessions.close())

async function openedOnRedis(options: Partial<SessionsOptions> = {}): Promise<string> {
  const { url } = await sharedRedis()
  sessions = createSessions<Data>({
    ...{ redis: url, prefix: keyPrefix('context'), secret: 'for tests only', timeout: '5s' },
    ...options,
  })
  const session = await sessions.load(undefined)
  session.begun = true
  return cookieOf(await sessions.commit(session))
}

/** What each of these requests comes to that ask at the same time. */
function ofAll<T>(ask: (name: string) => Promise<T>): Promise<T[]> {
  return Promise.all(names.map((name) => request.run(name, () => ask(name))))
}

describe('requests whose commands go to Redis together', () => {
  test('go on each in its own context, after a read and after a save', async () => {
    const cookie = await openedOnRedis()

    const contexts = await ofAll(async (name) => {
      const session = await sessions.load(cookie)
      const afterRead = request.getStore()
      session[name] = true
      await sessions.commit(session)
      return [afterRead, request.getStore()]
    })

    expect(contexts).toEqual(names.map((name) => [name, name]))
  })

  test('are asked each in its own context what they change in their session', async () => {
    const cookie = await openedOnRedis()

    await ofAll(async () => {
      const session = await sessions.load(cookie)
      await session.update((fields) => {
        fields[String(request.getStore())] = true
      })
    })

    expect(Object.keys(await sessions.load(cookie)).sort()).toEqual(['ada', 'begun', 'bob', 'cyd', 'dan'])
  })

  test('are asked each in its own context about a conflict', async () => {
    const asked: (readonly [context: unknown, mine: unknown])[] = []
    const cookie = await openedOnRedis({
      onConflict: ({ mine }) => {
        asked.push([request.getStore(), mine])
        return mine
      },
    })

    await ofAll(async (name) => {
      const session = await sessions.load(cookie)
      session.last = name
      await sessions.commit(session)
    })

    expect(asked).toEqual(expect.arrayContaining([['bob', 'bob']]))
    expect(asked.filter(([context, mine]) => context !== mine)).toEqual([])
  })
})
