import type { EncryptionKey, EncryptOptions } from '@stepladder/core'
import { FakeClock, RecordedReports } from '@stepladder/core/testing'
import { createSessions, MemorySessionBackend, sessionStore } from '@stepladder/session'
import { describe, expect, test } from 'vitest'
import { begin, type Fields, fieldsOf } from './browsing.ts'

const one: EncryptionKey = { id: 'one', key: Buffer.alloc(32, 1) }
const two: EncryptionKey = { id: 'two', key: Buffer.alloc(32, 2).toString('base64') }

function setUp(encrypt?: EncryptOptions, { backend, clock } = newPlace()) {
  const { report, all } = new RecordedReports()
  const sessions = createSessions<Fields>({ secret: 'for tests only', backend, clock, report, encrypt })
  return { sessions, backend, clock, all }
}

function newPlace() {
  const clock = new FakeClock()
  return { clock, backend: new MemorySessionBackend({ clock }) }
}

async function onlyRecord(backend: MemorySessionBackend): Promise<readonly [key: string, stored: string]> {
  const [record, ...others] = await backend.all()
  expect(others).toEqual([])
  return record!
}

describe('with `encrypt`', () => {
  test('what is stored tells nothing of the session, and no two records are alike', async () => {
    const { sessions, backend } = setUp({ keys: [one] })
    const [first, second] = [await begin(sessions, { user: 'ada' }), await begin(sessions, { user: 'ada' })]
    const stored = [...(await backend.all()).values()]

    for (const text of stored) expect(text).toMatch(/^sl1\.one\.[\w-]+$/)
    expect(stored.join()).not.toMatch(/ada|cookie/)
    expect(stored[0]).not.toBe(stored[1])
    for (const cookie of [first, second]) expect(await fieldsOf(sessions, cookie)).toEqual({ user: 'ada' })
  })

  test('requests at once lose nothing of each other', async () => {
    const { sessions } = setUp({ keys: [one] })
    const cookie = await begin(sessions, { user: 'ada' })
    const loaded = await Promise.all(Array.from({ length: 20 }, () => sessions.load(cookie)))
    for (const [n, session] of loaded.entries()) Object.assign(session, { [`n${n}`]: n })

    await Promise.all(loaded.map((session) => sessions.commit(session)))
    await (await sessions.load(cookie)).increment('views', 2)

    expect(Object.keys(await fieldsOf(sessions, cookie))).toHaveLength(22)
  })

  test('a key is replaced without a moment in which sessions are lost', async () => {
    const place = newPlace()
    const steps = [[one], [one, two], [two, one], [two]].map((keys) => setUp({ keys }, place))
    const cookie = await begin(steps[0]!.sessions, { user: 'ada' })
    for (const { sessions } of steps) {
      const session = await sessions.load(cookie)
      expect(session).toMatchObject({ user: 'ada' })
      await sessions.commit(session)
    }
    expect((await onlyRecord(place.backend))[1]).toMatch(/^sl1\.two\./)
  })

  test('a record of an older key, or a plain one, is written anew when it is next read', async () => {
    const place = newPlace()
    const cookie = await begin(setUp(undefined, place).sessions, { user: 'ada' })

    for (const [keys, head] of [
      [[one], /^sl1\.one\./],
      [[two, one], /^sl1\.two\./],
    ] as const) {
      const { sessions } = setUp({ keys, acceptPlain: true }, place)
      // At once, long before a touch is due.
      await sessions.commit(await sessions.load(cookie))
      expect((await onlyRecord(place.backend))[1]).toMatch(head)
      expect(await fieldsOf(sessions, cookie)).toEqual({ user: 'ada' })
    }
  })
})

describe('counts as `invalid` and is a new session', () => {
  const faults: [string, (stored: string) => string][] = [
    [
      'a record of which a byte was changed',
      (stored) => stored.slice(0, 30) + other(stored[30]!) + stored.slice(31),
    ],
    ['a record that was cut', (stored) => stored.slice(0, -8)],
    ['a record without its body', () => 'sl1.one.'],
    ['a record of no key', () => 'sl1.'],
    ['a record of a key that is not there', (stored) => stored.replace('one', 'six')],
    ['a plain record', () => '{"cookie":{},"user":"eve"}'],
  ]

  test.each(faults)('%s', async (_, spoil) => {
    const { sessions, backend, all } = setUp({ keys: [one] })
    const cookie = await begin(sessions, { user: 'ada' })
    const [key, stored] = await onlyRecord(backend)
    await backend.put(key, spoil(stored), 60_000)

    expect(await fieldsOf(sessions, cookie)).toEqual({})
    expect(all.at(-1)).toMatchObject({ outcome: 'invalid', cause: { code: 'INVALID_SESSION_RECORD' } })
  })

  test("a record that was moved to another session's place", async () => {
    const open = setUp()
    const safe = setUp({ keys: [one] })
    for (const [{ sessions, backend }, fieldsOfBob] of [
      [open, { user: 'ada' }], // without encryption the attack works
      [safe, {}],
    ] as const) {
      await begin(sessions, { user: 'ada' })
      const [, stored] = await onlyRecord(backend)
      const bob = await begin(sessions, { user: 'bob' })
      const keys = [...(await backend.all()).keys()]
      for (const key of keys) await backend.put(key, stored, 60_000)
      expect(await fieldsOf(sessions, bob)).toEqual(fieldsOfBob)
    }
  })
})

test("a record does not open in another app's place, though the keys are the same", async () => {
  const { backend } = newPlace()
  const open = (prefix: string) =>
    createSessions<Fields>({ secret: 'for tests only', backend, prefix, encrypt: { keys: [one] } })
  const cookie = await begin(open('shop:'), { user: 'eve' })

  expect(await fieldsOf(open('shop:'), cookie)).toEqual({ user: 'eve' })
  expect(await fieldsOf(open('admin:'), cookie)).toEqual({})
})

describe('under express-session', () => {
  const session = () => ({ cookie: {}, user: 'ada' })

  test('records are encrypted too, and merged', async () => {
    const { backend } = newPlace()
    const store = sessionStore({ backend, encrypt: { keys: [one] } })
    await store.set('id', session())
    const [first, second] = [await store.get('id'), await store.get('id')]
    await store.set('id', Object.assign(first!, { a: 1 }))
    await store.set('id', Object.assign(second!, { b: 2 }))

    expect(await store.get('id')).toMatchObject({ user: 'ada', a: 1, b: 2 })
    expect(await store.all()).toMatchObject([{ id: 'id', user: 'ada' }])
    expect((await onlyRecord(backend))[1]).toMatch(/^sl1\.one\./)
  })

  test('a record of an older key is written anew by a touch, and a spoilt one is no session', async () => {
    const { backend } = newPlace()
    const { report, all } = new RecordedReports()
    await sessionStore({ backend, encrypt: { keys: [one] } }).set('id', session())
    const store = sessionStore({ backend, report, encrypt: { keys: [two, one] } })

    await store.touch('id', (await store.get('id'))!)
    expect((await onlyRecord(backend))[1]).toMatch(/^sl1\.two\./)

    await backend.put('id', 'sl1.two.AAAA', 60_000)
    expect(await store.get('id')).toBeUndefined()
    expect(all.at(-1)).toMatchObject({ outcome: 'invalid' })
  })
})

test.each([
  ['createSessions', (encrypt: EncryptOptions) => createSessions({ secret: 'for tests only', encrypt })],
  ['sessionStore', (encrypt: EncryptOptions) => sessionStore({ encrypt })],
] as const)('%s tells no key in an error', (_, open) => {
  const key = 'a passphrase that somebody made up'
  const construct = () => open({ keys: [{ id: 'a', key }] })
  expect(construct).toThrow(expect.objectContaining({ option: 'encrypt.keys[0].key' }))
  expect(construct).not.toThrow('passphrase')
})

test.each(['', null, false, 'a passphrase'])(
  '`encrypt: %j` is refused, and not taken for none',
  (encrypt) => {
    const open = () => sessionStore({ encrypt: encrypt as never })
    expect(open).toThrow(expect.objectContaining({ option: 'encrypt' }))
    expect(open).not.toThrow('passphrase')
  },
)

/** Another character of base64url. */
function other(character: string): string {
  return character === 'A' ? 'B' : 'A'
}
