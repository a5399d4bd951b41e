import { createSessions, MemorySessionBackend, type SessionBackend } from '@stepladder/session'
import { describe, expect, test } from 'vitest'
import { sqliteDatabase } from '../sqlite-database.ts'

const secret = 'for tests only'

/** A place of the app's own that tells nobody of changes. */
function silentBackend(): SessionBackend {
  const memory = new MemorySessionBackend()
  const { get, put, putNew, replace, touch, destroy, all, length, clear, close } = memory
  const methods = { get, put, putNew, replace, touch, destroy, all, length, clear, close }
  // What matters is what it is not: one of ours, or one that can `follow`.
  const bound = Object.entries(methods).map(([name, method]) => [name, method.bind(memory as never)])
  return Object.fromEntries(bound) as unknown as SessionBackend
}

describe('the near cache', () => {
  test('is refused for a place that tells nobody of changes', () => {
    const refusal = { code: 'INVALID_OPTION', message: expect.stringContaining('nearCache') }
    const database = sqliteDatabase(':memory:')

    expect(() => createSessions({ secret, database, nearCache: true })).toThrow(
      expect.objectContaining(refusal),
    )
    expect(() => createSessions({ secret, backend: silentBackend(), nearCache: true })).toThrow(
      expect.objectContaining(refusal),
    )
  })

  test('may be asked for where sessions are in memory, so that an app without Redis runs as well', async () => {
    const sessions = createSessions({ secret, nearCache: true, onOutage: 'readonly' })

    expect((await sessions.load(undefined)).info.isNew).toBe(true)
    await sessions.close()
  })

  test.each([
    ['nearCache', { nearCache: 'yes' as never }],
    ['maxEntries', { nearCache: { maxEntries: 0 } }],
    ['maxEntries', { nearCache: { maxEntries: 1.5 } }],
    ['maxBytes', { nearCache: { maxBytes: 'much' as never } }],
    ['fence', { nearCache: { fence: 10 } }],
    ['fence', { nearCache: { fence: 'never' as never } }],
    ['maxAge', { nearCache: { maxAge: 10 } as never }],
  ])('is refused for a wrong %s, which is named', (option, options) => {
    expect(() => createSessions({ secret, ...options })).toThrow(
      expect.objectContaining({ message: expect.stringContaining(option) }),
    )
  })
})

test('onOutage: readonly is refused for a place that tells nobody which sessions have ended', () => {
  expect(() => createSessions({ secret, backend: silentBackend(), onOutage: 'readonly' })).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('onOutage') }),
  )
})
