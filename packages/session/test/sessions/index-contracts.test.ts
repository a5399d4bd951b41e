import type { ExpiryIndex, MemorySessionBackend, UserIndex } from '@stepladder/session'
import { type MakeSessionBackend, testExpiryIndex, testUserIndex } from '@stepladder/session/testing'
import { describe, expect, test } from 'vitest'
import { brokenBy, faultyMemory } from '../broken-by.ts'
import { aroundCalls } from './around-calls.ts'

type Faults = (sound: MemorySessionBackend) => {
  readonly users?: Partial<UserIndex>
  readonly expiries?: Partial<ExpiryIndex>
}

/** Memory whose indexes have such faults. */
function withFaults(faults: Faults): MakeSessionBackend {
  return faultyMemory((sound) => {
    const { users, expiries } = faults(sound)
    const whole = aroundCalls(sound, (_name, call) => call())
    return { users: { ...whole.users!, ...users }, expiries: { ...whole.expiries!, ...expiries } }
  })
}

describe('the contracts of the index of users and of expiries', () => {
  test('are kept by a sound backend', async () => {
    expect(
      await brokenBy(
        testUserIndex,
        withFaults(() => ({})),
      ),
    ).toEqual([])
    expect(
      await brokenBy(
        testExpiryIndex,
        withFaults(() => ({})),
      ),
    ).toEqual([])
  })

  test.concurrent.each<[string, Faults, string]>([
    [
      'counts first and adds later',
      ({ users }) => ({
        users: {
          async admit(user, key, ttlMs, { most }) {
            const isFull = (await users.list(user)).length >= most
            await new Promise(setImmediate)
            if (isFull) return { isAdmitted: false }
            await users.renew(user, key, ttlMs)
            return { isAdmitted: true, over: [] }
          },
        },
      }),
      'of many at once exactly as many are added',
    ],
    [
      'removes who is over the limit itself',
      ({ users }) => ({
        users: {
          async admit(user, key, ttlMs, room) {
            const admission = await users.admit(user, key, ttlMs, room)
            if (admission.isAdmitted) await users.remove(user, admission.over)
            return admission
          },
        },
      }),
      'stays listed',
    ],
    [
      'forgets to renew',
      () => ({ users: { renew: async () => {} } }),
      'a renewed entry lives longer, never shorter',
    ],
    [
      'does not tell upper from lower case',
      ({ users }) => ({ users: { list: (user) => users.list(user.toLowerCase()) } }),
      'no others',
    ],
    [
      'keeps entries for ever',
      ({ users }) => ({
        users: { admit: (user, key, _ttlMs, room) => users.admit(user, key, 60_000, room) },
      }),
      'an entry is missing when its time is over',
    ],
  ])('notice an index of users that %s', async (_, faults, promise) => {
    const only = promise
    expect(await brokenBy(testUserIndex, withFaults(faults), { only })).not.toEqual([])
  })

  test.concurrent.each<[string, Faults, string]>([
    [
      'looks first and takes later',
      ({ expiries }) => {
        const about = new Map<string, string>()
        return {
          expiries: {
            async note(key, text, ttlMs) {
              about.set(key, text)
              await expiries.note(key, text, ttlMs)
            },
            async takeExpired(most) {
              await new Promise(setImmediate)
              const taken = await expiries.takeExpired(most)
              return taken.length > 0 ? taken : [...about.values()].slice(0, 1)
            },
          },
        }
      },
      'is taken once',
    ],
    [
      'takes what still lives',
      ({ expiries }) => ({ expiries: { note: (key, about) => expiries.note(`no ${key}`, about, 1) } }),
      'one that lives longer than was known',
    ],
    ['forgets nothing', () => ({ expiries: { forget: async () => true } }), 'forgotten once'],
    [
      'takes all at once',
      ({ expiries }) => ({ expiries: { takeExpired: () => expiries.takeExpired(1_000) } }),
      'no more are taken than were asked for',
    ],
  ])('notice an index of expiries that %s', async (_, faults, promise) => {
    const only = promise
    expect(await brokenBy(testExpiryIndex, withFaults(faults), { only })).not.toEqual([])
  })
})
