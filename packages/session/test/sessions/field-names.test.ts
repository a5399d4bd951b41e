import { describe, expect, test } from 'vitest'
import { type Data, setUp } from './set-up.ts'

const notSerializable = { code: 'SESSION_NOT_SERIALIZABLE' }

/** A value, whatever the app has declared its fields to be. */
function put(session: object, value: unknown, name: string): void {
  Object.assign(session, { [name]: value })
}

describe('a field that is called', () => {
  const names = Object.getOwnPropertyNames(Object.prototype).filter((name) => name !== '__proto__')
  const methods = ['save', 'regenerate', 'destroy', 'reload', 'touch', 'resetMaxAge', '__session', ...names]

  test.each(methods)('%s is refused, and not lost in silence', async (name) => {
    const { sessions, begun, stored } = setUp()
    const cookie = await begun({ user: 'ada' })
    const session = await sessions.load(cookie)
    const update = session.update((fields) => put(fields, 'mine', name))
    await expect(update).rejects.toMatchObject(notSerializable)
    Object.defineProperty(session, name, { value: 'mine', enumerable: true, configurable: true })
    await expect(sessions.commit(session)).rejects.toThrow(JSON.stringify(name))
    expect(await stored(cookie)).toEqual({ user: 'ada' })
  })

  test.each(['update', 'increment', 'info', 'csrfToken', 'then', 'toJSON', 'length', 'isOurs', '0', ''])(
    '%j is a field as all are',
    async (name) => {
      const { sessions, begun } = setUp()
      const cookie = await begun({ [name]: 'mine' } as Partial<Data>)
      const session = await sessions.load(cookie)
      expect({ ...session }).toEqual({ [name]: 'mine' })

      put(session, 'changed', name)
      expect(await sessions.commit(session)).toBeUndefined()
      const kept = await (await sessions.load(cookie)).regenerate({ keep: true })
      expect({ ...kept }).toEqual({ [name]: 'changed' })
    },
  )

  test.each(['id', 'cookie'])('%s cannot be assigned', async (name) => {
    const { sessions } = setUp()
    const session = await sessions.load(undefined)
    expect(() => put(session, 'mine', name)).toThrow(TypeError)
  })

  test('__proto__, in a body that is assigned to the session, is no field and gives it no powers', async () => {
    const { sessions } = setUp()
    const session = await sessions.load(undefined)
    Object.assign(session, JSON.parse('{"__proto__":{"admin":true},"user":"ada"}'))

    expect('admin' in session).toBe(false)
    expect(JSON.stringify(session)).toBe('{"user":"ada"}')
    await session.save()
  })

  test('__session or cookie, where toJSON or an update makes it, cannot change what is known of the session', async () => {
    const { sessions, begun, stored } = setUp()
    const cookie = await begun({ user: 'ada' })
    const session = await sessions.load(cookie)
    await expect(session.increment('__session.created')).rejects.toMatchObject(notSerializable)
    await expect(session.increment('cookie.originalMaxAge')).rejects.toMatchObject(notSerializable)
    Object.assign(session, { toJSON: () => ({ __session: { created: 9e15, seen: 9e15, v: 1 } }) })
    await expect(sessions.commit(session)).rejects.toMatchObject(notSerializable)
    expect(await stored(cookie)).toEqual({ user: 'ada' })
  })
})

test('a session that holds a function called then does not hold up who awaits it', async () => {
  const { sessions, begun } = setUp()
  const session = await sessions.load(await begun({ user: 'ada' }))
  put(session, () => expect.unreachable(), 'then')

  const kept = await session.regenerate({ keep: true })
  expect({ ...kept }).toEqual({ user: 'ada' })
})

test('a function that the app has put over a method of its session stays there for the request', async () => {
  const { sessions, begun, stored } = setUp()
  const cookie = await begun({ user: 'ada' })
  const session = await sessions.load(cookie)
  let calls = 0
  const save: () => Promise<void> = session.save.bind(session)
  const counted = () => {
    calls += 1
    return save()
  }
  put(session, counted, 'save')

  await session.increment('views')
  await session.save()

  expect(calls).toBe(1)
  expect(await stored(cookie)).toEqual({ user: 'ada', views: 1 })
})
