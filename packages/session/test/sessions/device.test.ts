import { createSessions } from '@stepladder/session'
import { expect, test } from 'vitest'
import { cookieOf, type Data, setUp } from './set-up.ts'

const userOf = ({ user }: Partial<Data>) => user

test('where and on what browser a session was seen last is kept, where the app says so', async () => {
  const { sessions, clock } = setUp({ userOf, device: true })
  const session = await sessions.load(undefined, { ip: '192.0.2.1', userAgent: 'x'.repeat(1_000) })
  session.user = 'ada'
  const cookie = cookieOf(await sessions.commit(session))
  expect(await sessions.of('ada').list()).toMatchObject([{ ip: '192.0.2.1', userAgent: 'x'.repeat(256) }])

  // A read brings about no write of its own; a touch takes it along.
  await sessions.commit(await sessions.load(cookie, { ip: '192.0.2.2', userAgent: 'other' }))
  expect(await sessions.of('ada').list()).toMatchObject([{ ip: '192.0.2.1' }])
  await clock.advance(120_000)
  await sessions.commit(await sessions.load(cookie, { ip: '192.0.2.2', userAgent: 'other' }))
  expect(await sessions.of('ada').list()).toMatchObject([{ ip: '192.0.2.2', userAgent: 'other' }])
})

test('nothing of that is kept else', async () => {
  const { sessions, backend } = setUp({ userOf })
  const session = await sessions.load(undefined, { ip: '192.0.2.1', userAgent: 'some browser' })
  session.user = 'ada'
  await sessions.commit(session)

  expect(JSON.stringify([...(await backend.all())])).not.toMatch(/192\.0\.2\.1|some browser/)
  expect(await sessions.of('ada').list()).toMatchObject([{ ip: undefined, userAgent: undefined }])
})

test.each<Record<string, unknown>>([
  { userOf: 'user' },
  { maxPerUser: 3 },
  { maxPerUser: 0, userOf },
  { maxPerUser: 1.5, userOf },
  { maxPerUser: '3', userOf },
  { onLimit: 'end', userOf },
  { device: 'yes' },
  { on: { created: 'me' } },
  { on: () => {} },
])('options that mean nothing are refused: %j', (options) => {
  const all = { secret: 'for tests only', ...options } as never
  expect(() => createSessions(all)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
})
