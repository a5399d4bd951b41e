import type { MemorySessionBackend, SessionBackend } from '@stepladder/session'
import { testSessionBackend } from '@stepladder/session/testing'
import { describe, expect, test } from 'vitest'
import { brokenBy, faultyMemory } from './broken-by.ts'

const minuteMs = 60_000

describe('the contract of SessionBackend', () => {
  test('is kept by a sound backend', async () => {
    expect(
      await brokenBy(
        testSessionBackend,
        faultyMemory(() => ({})),
      ),
    ).toEqual([])
  })

  test.concurrent.each<[string, (sound: MemorySessionBackend) => Partial<SessionBackend>, string]>([
    [
      'replaces without looking',
      (sound) => ({
        async replace(id, _expected, text, ttlMs) {
          await sound.put(id, text, ttlMs)
          return { isDone: true }
        },
      }),
      'of many who expect the same, exactly one replaces',
    ],
    [
      'looks, and replaces later',
      (sound) => ({
        async replace(id, expected, text, ttlMs) {
          const current = await sound.get(id)
          if (current !== expected) return { isDone: false, current }
          await new Promise(setImmediate)
          await sound.put(id, text, ttlMs)
          return { isDone: true }
        },
      }),
      'of many who expect the same, exactly one replaces',
    ],
    [
      'touches what is not there',
      (sound) => ({
        async touch(id, ttlMs) {
          await sound.put(id, (await sound.get(id)) ?? '{}', ttlMs)
          return true
        },
      }),
      'neither replace nor touch brings back what was destroyed',
    ],
    [
      'forgets to touch',
      (sound) => ({ touch: async (id) => (await sound.get(id)) !== undefined }),
      'touch and replace move the end, and put begins a new time',
    ],
    [
      'counts in whole seconds',
      (sound) => ({ put: (id, text, ttlMs) => sound.put(id, text, Math.ceil(ttlMs / 1_000) * 1_000) }),
      'a record is there until its time is over, to a few milliseconds',
    ],
    [
      'never lets go',
      (sound) => ({ put: (id, text) => sound.put(id, text, minuteMs) }),
      'a record is there until its time is over, to a few milliseconds',
    ],
    ['does not destroy', () => ({ destroy: async () => undefined }), 'what was destroyed is missing'],
    [
      'looks at what it destroys, and destroys later',
      (sound) => ({
        async destroy(id) {
          const ended = await sound.get(id)
          await new Promise(setImmediate)
          await sound.destroy(id)
          return ended
        },
      }),
      'what was destroyed is handed back, to one of all who destroy it',
    ],
    [
      'puts anew without looking',
      (sound) => ({
        async putNew(id, text, ttlMs) {
          await sound.put(id, text, ttlMs)
          return true
        },
      }),
      'of many who put the same id anew, exactly one does',
    ],
    [
      'looks, and puts anew later',
      (sound) => ({
        async putNew(id, text, ttlMs) {
          if ((await sound.get(id)) !== undefined) return false
          await new Promise(setImmediate)
          await sound.put(id, text, ttlMs)
          return true
        },
      }),
      'of many who put the same id anew, exactly one does',
    ],
    ['does not clear', () => ({ clear: async () => {} }), 'all, length and clear mean every record'],
    [
      'does not tell upper from lower case',
      (sound) => ({ get: (id) => sound.get(id.toLowerCase()) }),
      'what was put is got, and nothing else is',
    ],
  ])('notices a backend that %s', async (_, faults, promise) => {
    const only = promise
    expect(await brokenBy(testSessionBackend, faultyMemory(faults), { only })).toHaveLength(1)
  })
})
