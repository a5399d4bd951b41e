import { keyPrefix, RecordedReports, sharedRedis } from '@stepladder/core/testing'
import { createSessions, MemorySessionBackend } from '@stepladder/session'
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import { begin, type Fields, fieldsOf } from './browsing.ts'
import { partsOf, signedCookie } from './signed.ts'

const secret = 'for tests only'
const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

test('who reads the store finds no id in it, and in no report', async () => {
  const url = (await sharedRedis()).url
  const [redis, prefix] = [new Redis(url), keyPrefix()]
  const { report, all } = new RecordedReports()
  const sessions = createSessions<Fields>({ secret, redis: url, prefix, report })
  opened.push(
    () => redis.disconnect(),
    () => sessions.close(),
  )
  const cookie = await begin(sessions, { user: 'ada' })
  const { id, signature } = partsOf(cookie)

  const keys = await redis.keys(`${prefix}*`)
  expect(keys).toHaveLength(1)
  const stored = `${keys[0]}${await redis.get(keys[0]!)}`
  for (const known of [id, signature]) expect(`${stored}${JSON.stringify(all)}`).not.toContain(known)
})

test('with `hashIds: false` it stands where connect-redis looks for it', async () => {
  const backend = new MemorySessionBackend()
  const sessions = createSessions<Fields>({ secret, backend, hashIds: false })
  const { id } = partsOf(await begin(sessions, { user: 'ada' }))
  expect([...(await backend.all()).keys()]).toEqual([id])
})

test.each([true, false])(
  'a key of the store that is shown as an id is refused, and asks nobody, even if it is signed (hashIds: %s)',
  async (hashIds) => {
    const backend = new MemorySessionBackend()
    await begin(createSessions<Fields>({ secret, backend }), { user: 'ada' })
    const [key] = [...(await backend.all()).keys()]
    const { report, all } = new RecordedReports()
    // With plain ids, an app that has gone back to them: there the key would open the session.
    const sessions = createSessions<Fields>({ secret, backend, hashIds, report })

    expect(key).toMatch(/^h~[\w-]{43}$/)
    expect(await fieldsOf(sessions, signedCookie(key!, secret))).toEqual({})
    expect(all).toEqual([])
  },
)

test('an id of another library is let in, and a longer one than any has is not', async () => {
  const backend = new MemorySessionBackend()
  const sessions = createSessions<Fields>({ secret, backend, hashIds: false })
  const record = '{"cookie":{},"user":"ada"}'
  for (const id of ['0b0e4d5e-7f4c-4b8e-9f0a-2c1d3e4f5a6b', 'a', 'a'.repeat(256), 'a'.repeat(257)]) {
    await backend.put(id, record, 60_000)
    expect((await fieldsOf(sessions, signedCookie(id, secret))).user).toBe(
      id.length > 256 ? undefined : 'ada',
    )
  }
})
