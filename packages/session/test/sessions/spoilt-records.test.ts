import { createSessions, MemorySessionBackend } from '@stepladder/session'
import { describe, expect, test } from 'vitest'
import { setUp } from './set-up.ts'

const hour = 3_600_000

/** A session whose record somebody has written over. */
async function overwritten(record: string | object) {
  const all = setUp()
  const cookie = await all.begun({ user: 'ada' })
  const [key] = [...(await all.backend.all()).keys()]
  await all.backend.put(key!, typeof record === 'string' ? record : JSON.stringify(record), 24 * hour)
  const load = () => all.sessions.load(cookie)
  return { ...all, cookie, key: key!, load }
}

const now = 1_000_000
const meta = { created: now, seen: now, v: 1 }
const ours = { cookie: { originalMaxAge: null }, __session: meta, user: 'ada' }

describe('a stored record that', () => {
  const spoilt: Record<string, string | object> = {
    'is not JSON': '{"cookie":',
    'is empty': '',
    'is a number': '7',
    'is a text': '"ada"',
    'is a list': '[]',
    'is null': 'null',
    'is nested too deeply for JSON': `{"cookie":{},"__proto__":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    'has no cookie': { __session: meta, user: 'ada' },
    'has a number for a cookie': { ...ours, cookie: 7 },
    'has a list for a cookie': { ...ours, cookie: [] },
    'expires at no date': { ...ours, cookie: { expires: 'soon' } },
    'has a text for a time': { ...ours, cookie: { originalMaxAge: '1000' } },
    'is of a newer format': { ...ours, __session: { ...meta, v: 2 } },
    'is of no format': { ...ours, __session: { created: now, seen: now } },
    'says nothing of itself': { ...ours, __session: null },
    'has a list for what it says of itself': { ...ours, __session: [meta] },
    'was created at no time': { ...ours, __session: { ...meta, created: '1000' } },
    'was created before time': { ...ours, __session: { ...meta, created: -1 } },
    'was seen at no time': { ...ours, __session: { ...meta, seen: null } },
    'was seen at the end of time': `{"cookie":{},"__session":{"created":1,"seen":1e999,"v":1}}`,
    'logged in at no time': { ...ours, __session: { ...meta, login: 'today' } },
    'was rotated at no time': { ...ours, __session: { ...meta, rotated: 'today' } },
    'has a list for where it was': { ...ours, __session: { ...meta, from: ['key'] } },
    'has a number for its seed': { ...ours, __session: { ...meta, csrf: 7 } },
  }

  test.each(Object.entries(spoilt))('%s is reported, and is no session', async (_, record) => {
    const { sessions, load, reports, cookie } = await overwritten(record)

    const session = await load()

    expect({ ...session }).toEqual({})
    expect(session.info.isNew).toBe(true)
    expect(reports.outcomes('get')).toContain('invalid')
    session.user = 'bob'
    expect((await sessions.commit(session))?.split(';')[0]).not.toBe(cookie)
  })

  test.each(Object.entries(spoilt))('%s while a request is under way harms nobody', async (_, record) => {
    const { sessions, backend, key, cookie, load, stored } = await overwritten(ours)
    const [one, two, three] = [await load(), await load(), await load()]
    await backend.put(key, typeof record === 'string' ? record : JSON.stringify(record), 24 * hour)

    one.views = 1
    const ends = await Promise.allSettled([sessions.commit(one), two.increment('views'), three.reload()])

    for (const end of ends)
      if (end.status === 'rejected') expect(end.reason.code).toMatch(/^(INVALID_)?SESSION_/)
    expect(['ada', undefined]).toContain((await stored(cookie)).user)
  })

  const odd: Record<string, object> = {
    'may rest until the end of time': { ...ours, cookie: { originalMaxAge: 1e300 } },
    'will be created in a thousand years': { ...ours, __session: { ...meta, created: now + 1e13 } },
    'will be seen in a thousand years': { ...ours, __session: { ...meta, seen: now + 1e13 } },
    'says more of itself than is known': { ...ours, __session: { ...meta, next: { level: 3 } } },
    'has its version first': { ...ours, __session: { v: 1, created: now, seen: now } },
    'has what looks like the end of ours in a field': {
      ...ours,
      __session: { v: 1, created: now, seen: now },
      cart: { pen: 1, v: 1 },
      text: '"v":1}',
    },
  }

  test.each(Object.entries(odd))('%s is a session that can be changed', async (_, record) => {
    const { sessions, load, stored, clock, cookie } = await overwritten(record)
    const session = await load()
    expect(session.user).toBe('ada')
    session.views = 1
    delete session.cart
    session.touch()
    await sessions.commit(session)

    await clock.advance(1)
    expect(await stored(cookie)).toMatchObject({ user: 'ada', views: 1 })
    expect(await stored(cookie)).not.toHaveProperty('cart')
  })

  const { cookie } = ours
  const elsewhere = { user: 'ada', cart: { pen: 1, v: 1 }, text: 'a' }
  test.each([
    ['begins with its version', { cookie, __session: { v: 1, created: now, seen: now }, ...elsewhere }],
    ['stands behind the fields', { cookie, ...elsewhere, __session: meta }],
    ['stands between the fields', { cookie, user: 'ada', cart: { v: 1 }, __session: meta, text: 'a' }],
    [
      'holds a brace',
      { cookie, __session: { created: now, seen: now, agent: 'a},"v":1}', v: 1 }, ...elsewhere },
    ],
    ['stands behind a cookie with a brace', { cookie: { path: '/}' }, __session: meta, ...elsewhere }],
  ])('has a part of ours that %s loses no removal of a field', async (_, record) => {
    const { sessions, load } = await overwritten(record)
    const session = await load()
    delete session.user
    delete session.cart
    await sessions.commit(session)

    expect({ ...(await load()) }).toEqual({ text: 'a' })
  })

  test('may rest less than no time is over, once it was seen', async () => {
    const { sessions, load } = await overwritten({ cookie: { originalMaxAge: -1e300 }, user: 'ada' })
    const session = await load()
    session.views = 1
    await sessions.commit(session)

    expect({ ...(await load()) }).toEqual({})
  })

  test('is 10 MB large is served, but takes no change that leaves it so', async () => {
    const { sessions, load } = await overwritten({ ...ours, text: 'x'.repeat(10_000_000) })
    const session = await load()
    expect(session.user).toBe('ada')
    session.touch()
    await sessions.commit(session)

    session.views = 1
    await expect(sessions.commit(session)).rejects.toMatchObject({ code: 'SESSION_TOO_LARGE' })
    delete session.text
    await sessions.commit(session)
    expect({ ...(await load()) }).toEqual({ user: 'ada', views: 1 })
  })

  test('would change the prototype of all objects changes none', async () => {
    const evil = '"__proto__":{"admin":true},"\\u005f_proto__":{"admin":true}'
    const builder = '"constructor":{"prototype":{"admin":true}}'
    const { sessions, load } = await overwritten(
      `{"cookie":{${evil}},"__session":${JSON.stringify(meta)},${evil},${builder},"cart":{${evil},"list":[{${evil}}]}}`,
    )
    const session = await load()
    const other = await load()
    await other.update((fields) => Object.assign(fields, { user: 'ada' }).user)
    await session.increment('cart.pen')
    session.views = 1
    await sessions.commit(session)
    await session.reload()
    const copy = await session.regenerate({ keep: true })

    const cart = Object.assign({}, copy.cart)
    for (const each of [{}, [], session, other, copy, copy.cart, cart, session.info]) {
      expect((each as { admin?: boolean }).admin).toBeUndefined()
    }
    expect(JSON.parse(JSON.stringify(copy))).toStrictEqual({
      user: 'ada',
      cart: { list: [{}], pen: 1 },
      views: 1,
    })
  })
})

test('two sessions that are small enough do not grow too large together', async () => {
  const { sessions, begun, stored } = setUp({ maxSize: 1_000 })
  const cookie = await begun({ user: 'ada' })
  const [one, two] = [await sessions.load(cookie), await sessions.load(cookie)]
  one.text = 'x'.repeat(700)
  two.cart = { ['y'.repeat(700)]: 1 }
  await sessions.commit(one)

  await expect(sessions.commit(two)).rejects.toMatchObject({ code: 'SESSION_TOO_LARGE' })
  expect(await stored(cookie)).toEqual({ user: 'ada', text: 'x'.repeat(700) })
})

test('a session that an app with a larger `maxSize` has stored can be read', async () => {
  const backend = new MemorySessionBackend()
  const secret = 'for tests only'
  const [large, small] = (['10kb', '1kb'] as const).map((maxSize) =>
    createSessions({ secret, backend, maxSize }),
  )
  const session = await large!.load(undefined)
  Object.assign(session, { text: 'x'.repeat(5_000) })
  const [cookie] = (await large!.commit(session))!.split(';')

  expect(await small!.commit(await small!.load(cookie))).toBeUndefined()
})
