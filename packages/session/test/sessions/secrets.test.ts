import { RecordedReports } from '@stepladder/core/testing'
import { createSessions, MemorySessionBackend } from '@stepladder/session'
import { expect, test } from 'vitest'
import { begin, cookieOf, type Fields, fieldsOf } from './browsing.ts'
import { partsOf, signedCookie } from './signed.ts'

function setUp(secret: string | readonly string[], backend = new MemorySessionBackend()) {
  const { report, all } = new RecordedReports()
  return { sessions: createSessions<Fields>({ secret, backend, report }), backend, all }
}

test('a secret is replaced without a moment in which anybody is logged out', async () => {
  const backend = new MemorySessionBackend()
  // While a step is rolled out, processes of the one before it and of the one after it run at the same time.
  const steps = [['one'], ['one', 'two'], ['two', 'one'], ['two']].map((secrets) => setUp(secrets, backend))
  const cookies = [await begin(steps[0]!.sessions, { user: 'ada' })]
  for (const [step, { sessions }] of steps.entries()) {
    const session = await sessions.load(cookies.at(-1))
    expect({ ...session }).toEqual({ user: 'ada' })
    const setCookie = await sessions.commit(session)
    if (setCookie !== undefined) cookies.push(cookieOf(setCookie))
    for (const other of steps.slice(Math.max(0, step - 1), step + 2)) {
      expect(await fieldsOf(other.sessions, cookies.at(-1)!)).toEqual({ user: 'ada' })
    }
  }

  const [old, fresh] = cookies.map(partsOf)
  expect(cookies).toHaveLength(2)
  expect(fresh!.id).toBe(old!.id)
  expect(await fieldsOf(steps[3]!.sessions, cookies[0]!)).toEqual({})
})

test('the cookie is signed anew once, by a request that changes nothing', async () => {
  const backend = new MemorySessionBackend()
  const old = await begin(setUp('one', backend).sessions, { user: 'ada' })
  const { sessions, all } = setUp(['two', 'one'], backend)

  const fresh = cookieOf(await sessions.commit(await sessions.load(old)))

  expect(await sessions.commit(await sessions.load(fresh))).toBeUndefined()
  expect(all.map(({ operation }) => operation)).toEqual(['get', 'get'])
})

test('the signature is that of express-session, in both directions', async () => {
  const { sessions } = setUp('one')
  const cookie = await begin(sessions, { user: 'ada' })
  expect(signedCookie(partsOf(cookie).id, 'one')).toBe(cookie)
})

test('what is not signed right asks nobody, however near it comes', async () => {
  const { sessions, all } = setUp(['one', 'zero'])
  const cookie = await begin(sessions, { user: 'ada' })
  const { id, signature } = partsOf(cookie)
  const forged = [
    ...Array.from(
      signature,
      (letter, at) => signature.slice(0, at) + other(letter) + signature.slice(at + 1),
    ),
    ...Array.from(signature, (_, at) => signature.slice(0, at)),
    `${signature}=`,
    `${signature}A`,
    signature.toLowerCase(),
  ].map((wrong) => `__Host-session=${encodeURIComponent(`s:${id}.${wrong}`)}`)
  all.length = 0

  for (const shown of [...forged, signedCookie(id, 'two'), `__Host-session=${id}`]) {
    expect(await fieldsOf(sessions, shown)).toEqual({})
  }
  expect(all).toEqual([])
  expect(await fieldsOf(sessions, cookie)).toEqual({ user: 'ada' })
})

test.each([undefined, '', [], [''], ['one', ''], 7, ['one', 7]])('%j is no secret', (secret) => {
  const open = () => createSessions({ secret: secret as string })
  expect(open).toThrow(expect.objectContaining({ option: 'secret' }))
})

function other(letter: string): string {
  return letter === 'A' ? 'B' : 'A'
}
