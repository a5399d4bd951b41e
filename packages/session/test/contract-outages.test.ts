import { testExpiryIndex, testSessionBackend, testUserIndex } from '@stepladder/session/testing'
import { describe, expect, test } from 'vitest'
import { BreakableMemory, type BreakableMemoryOptions } from './breakable-memory.ts'
import { type BrokenByOptions, brokenBy } from './broken-by.ts'

const timeoutMs = 100

/** Of a contract, the promises about outages that such a backend breaks. */
function brokenInOutages(
  contract: typeof testSessionBackend,
  options: BreakableMemoryOptions,
  tools: BrokenByOptions,
): Promise<string[]> {
  const { make, place } = new BreakableMemory(options)
  return brokenBy(contract, make, { place, ...tools })
}

/** No longer than it takes to find out. */
const impatient = { answerWithinMs: 50, recoverWithinMs: 500 }

const lie = 'no call says that something is done, or that nothing is there'
const inTime = 'calls end within'
const again = 'the same backends work again, and what was done before is there'
const truth = 'whoever was told so was told the truth'

describe('the contract of outages is kept', () => {
  test.concurrent.each<[string, BreakableMemoryOptions]>([
    ['ends each call in time', { timeoutMs }],
    ['waits as long as the place is away', {}],
  ])('by a backend that %s', async (_, options) => {
    const tools = { only: 'the place', answerWithinMs: 300 }
    expect(await brokenInOutages(testSessionBackend, options, tools)).toEqual([])
    expect(await brokenInOutages(testUserIndex, options, tools)).toEqual([])
    expect(await brokenInOutages(testExpiryIndex, options, tools)).toEqual([])
  })
})

type Faults = NonNullable<BreakableMemoryOptions['faults']>

const putsInTheBackground: Faults = (sound) => ({
  async put(id, text, ttlMs) {
    sound.put(id, text, ttlMs).catch(() => {})
  },
})

const readsNothingWhenItFails: Faults = (sound) => ({ get: (id) => sound.get(id).catch(() => undefined) })

const touchesAnyway: Faults = (sound) => ({
  touch: (id, ttlMs) => sound.touch(id, ttlMs).catch(() => true),
})

const countsWhatItSaw: Faults = (sound) => ({ length: () => sound.length().catch(() => 0) })

const givesUp: Faults = (sound) => {
  let hasFailed = false
  return {
    async get(id) {
      if (hasFailed) throw new Error('the client has given up')
      return sound.get(id).catch((failure) => {
        hasFailed = true
        throw failure
      })
    },
  }
}

const startsAnew: Faults = (sound) => ({
  get: (id) =>
    sound.get(id).catch(async (failure) => {
      await sound.clear().catch(() => {})
      throw failure
    }),
})

const repeats = <T>(call: () => Promise<T>): Promise<T> => call().catch(() => repeats(call))

const repeatsWhatWasLost: Faults = (sound) => ({
  replace: (id, expected, text, ttlMs) => repeats(() => sound.replace(id, expected, text, ttlMs)),
  putNew: (id, text, ttlMs) => repeats(() => sound.putNew(id, text, ttlMs)),
})

const takesALostAnswerForDone: Faults = (sound) => ({
  putNew: (id, text, ttlMs) => sound.putNew(id, text, ttlMs).catch(() => true),
})

const takesALostAnswerForNot: Faults = (sound) => ({
  replace: (id, expected, text, ttlMs) =>
    sound.replace(id, expected, text, ttlMs).catch(async () => ({ isDone: false, current: undefined })),
})

const claimsToEndInTime: Faults = () => ({ endsInTime: true })

const neverEndsWhatWasLost: Faults = (sound) => ({
  get: (id) => sound.get(id).catch(() => new Promise<undefined>(() => {})),
})

describe('the contract of outages notices a backend that', () => {
  test.concurrent.each<[string, Faults, string, BreakableMemoryOptions]>([
    ['puts in the background', putsInTheBackground, `frozen, ${lie}`, {}],
    ['puts in the background', putsInTheBackground, `gone, ${lie}`, {}],
    ['puts in the background', putsInTheBackground, `cut off is done or not, and ${truth}`, {}],
    ['takes a failure for a session that is over', readsNothingWhenItFails, `frozen, ${lie}`, { timeoutMs }],
    ['takes a failure for a session that is over', readsNothingWhenItFails, `gone, ${lie}`, {}],
    ['says that it has touched what it could not', touchesAnyway, `gone, ${lie}`, {}],
    ['counts none where it could not count', countsWhatItSaw, `frozen, ${lie}`, { timeoutMs }],
    ['says that it ends in time and does not', claimsToEndInTime, `frozen, ${inTime}`, {}],
    ['never ends a call that was lost', neverEndsWhatWasLost, `gone, ${inTime}`, {}],
    ['gives up after a failure', givesUp, `cut off, ${again}`, {}],
    ['gives up after a failure', givesUp, `gone, ${again}`, { timeoutMs }],
    ['gives up after a failure', givesUp, `frozen, ${again}`, { timeoutMs }],
    ['forgets what it had when it connects anew', startsAnew, `cut off, ${again}`, {}],
    ['sends again what may have been done', repeatsWhatWasLost, `cut off is done or not, and ${truth}`, {}],
    ['takes a lost answer for a yes', takesALostAnswerForDone, `cut off is done or not, and ${truth}`, {}],
    ['takes a lost answer for a no', takesALostAnswerForNot, `cut off is done or not, and ${truth}`, {}],
    ['takes a lost answer for a no', takesALostAnswerForNot, `gone, ${lie}`, {}],
  ])('%s: %#', async (_, faults, only, options) => {
    const tools = { ...impatient, only }
    expect(await brokenInOutages(testSessionBackend, { ...options, faults }, tools)).toHaveLength(1)
  })
})

describe('the contracts of the indexes notice one that', () => {
  test('lists nobody when it fails', async () => {
    const faults: Faults = ({ users }) => ({
      users: { ...users!, list: (user) => users!.list(user).catch(() => []) },
    })

    const tools = { ...impatient, only: 'gone, nobody is told' }
    expect(await brokenInOutages(testUserIndex, { faults }, tools)).toHaveLength(1)
  })

  test('says that nothing has expired when it fails', async () => {
    const faults: Faults = ({ expiries }) => ({
      expiries: { ...expiries!, takeExpired: (most) => expiries!.takeExpired(most).catch(() => []) },
    })

    const tools = { ...impatient, only: 'gone, nobody is told' }
    expect(await brokenInOutages(testExpiryIndex, { faults }, tools)).toHaveLength(1)
  })
})
