import { seeds } from '@stepladder/core/testing'
import type { MemorySessionBackend, Replaced, SessionBackend } from '@stepladder/session'
import { testExpiryIndex, testSessionBackend, testUserIndex } from '@stepladder/session/testing'
import { describe, expect, test } from 'vitest'
import { brokenBy, faultyMemory } from './broken-by.ts'

/** Faults that one caller at one backend does not see. */
type Faults = (sound: MemorySessionBackend) => Partial<SessionBackend>

const someOrder = 'each is what some order of the calls makes it'
/** As a careful process does it that believes itself alone: one call after the other, in it. */
function oneByOne(): <T>(call: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (call) => {
    const next = last.then(call)
    last = next.catch(() => {})
    return next
  }
}

const later = () => new Promise(setImmediate)

const replacesLater: Faults = (sound) => {
  const inTurn = oneByOne()
  return {
    replace: (id, expected, text, ttlMs) =>
      inTurn(async (): Promise<Replaced> => {
        const current = await sound.get(id)
        await later()
        if (current !== expected) return { isDone: false, current }
        await sound.put(id, text, ttlMs)
        return { isDone: true }
      }),
  }
}

const touchesByWriting: Faults = (sound) => {
  const inTurn = oneByOne()
  return {
    touch: (id, ttlMs) =>
      inTurn(async () => {
        const current = await sound.get(id)
        await later()
        if (current !== undefined) await sound.put(id, current, ttlMs)
        return current !== undefined
      }),
  }
}

const putsAnewLater: Faults = (sound) => {
  const inTurn = oneByOne()
  return {
    putNew: (id, text, ttlMs) =>
      inTurn(async () => {
        const isFree = (await sound.get(id)) === undefined
        await later()
        if (isFree) await sound.put(id, text, ttlMs)
        return isFree
      }),
  }
}

const destroysLater: Faults = (sound) => {
  const inTurn = oneByOne()
  return {
    destroy: (id) =>
      inTurn(async () => {
        const current = await sound.get(id)
        await later()
        await sound.destroy(id)
        return current
      }),
  }
}

/** Whoever asks while a read is under way hears its answer, though it may have been read before a change. */
const sharesReads: Faults = (sound) => {
  const reads = new Map<string, Promise<string | undefined>>()
  const read = async (id: string) => {
    await later()
    const found = await sound.get(id)
    await later()
    reads.delete(id)
    return found
  }
  return {
    get(id) {
      const answer = reads.get(id) ?? read(id)
      reads.set(id, answer)
      return answer
    },
  }
}

const remembersReads: Faults = (sound) => {
  const known = new Map<string, string>()
  return {
    async get(id) {
      const found = known.get(id) ?? (await sound.get(id))
      if (found !== undefined) known.set(id, found)
      return found
    },
    async destroy(id) {
      known.delete(id)
      return sound.destroy(id)
    },
  }
}

const answersBeforeItWrites: Faults = (sound) => ({
  async put(id, text, ttlMs) {
    void later().then(() => sound.put(id, text, ttlMs))
  },
})

/** Gathers the calls of a turn, and answers them together. */
function gathered<Asked, Answer>(answerAll: (all: readonly Asked[]) => Promise<readonly Answer[]>) {
  let turn: { readonly all: Asked[]; readonly answers: Promise<readonly Answer[]> } | undefined
  return async (asked: Asked): Promise<Answer> => {
    const all: Asked[] = turn?.all ?? []
    turn ??= {
      all,
      answers: later().then(() => {
        turn = undefined
        return answerAll(all)
      }),
    }
    const place = all.push(asked) - 1
    // As many answers as were asked for, if the mutant is merciful.
    return (await turn.answers)[place] as Answer
  }
}

const leavesOutWhatIsMissing: Faults = (sound) => ({
  get: gathered(async (ids: readonly string[]) => {
    const found = await Promise.all(ids.map((id) => sound.get(id)))
    return found.filter((text) => text !== undefined)
  }),
})

const asksForEachOnce: Faults = (sound) => ({
  get: gathered((ids: readonly string[]) => Promise.all([...new Set(ids)].map((id) => sound.get(id)))),
})

type Replace = readonly [id: string, expected: string, text: string, ttlMs: number]

const answersAllAsTheFirst: Faults = (sound) => {
  const replace = gathered(async (all: readonly Replace[]) => {
    const answers = await Promise.all(all.map((each) => sound.replace(...each)))
    return answers.map(() => answers[0]!)
  })
  return { replace: (...asked) => replace(asked) }
}

const failsForAll: Faults = (sound) => {
  const replace = gathered(async (all: readonly Replace[]) => {
    if (all.some(([, , text]) => text.includes('\0'))) throw new Error('a text of these cannot be kept')
    return Promise.all(all.map((each) => sound.replace(...each)))
  })
  return { replace: (...asked) => replace(asked) }
}

describe('the contract notices a backend that', () => {
  test.concurrent.each<[string, Faults, string]>([
    ['replaces after it looked', replacesLater, 'lose no change'],
    ['replaces after it looked', replacesLater, someOrder],
    ['writes when it touches', touchesByWriting, 'none comes back'],
    ['writes when it touches', touchesByWriting, someOrder],
    ['puts anew after it looked', putsAnewLater, someOrder],
    ['destroys after it looked', destroysLater, someOrder],
    ['shares reads that are under way', sharesReads, someOrder],
    ['remembers what it read', remembersReads, 'another on the same records sees at once'],
    ['remembers what it read', remembersReads, someOrder],
    ['answers before it writes', answersBeforeItWrites, someOrder],
    ['leaves out of its answers what is missing', leavesOutWhatIsMissing, 'each is the right one'],
    ['asks but once for each of a turn, and counts wrong', asksForEachOnce, 'each is the right one'],
    ['answers all of a turn alike', answersAllAsTheFirst, 'each is answered for itself'],
    ['fails for all of a turn', failsForAll, 'one that fails fails alone'],
  ])('%s: %#', async (_, faults, only) => {
    expect(await brokenBy(testSessionBackend, faultyMemory(faults), { only })).toHaveLength(1)
  })

  test('makes two backends of one prefix with records of their own', async () => {
    const alone = () => faultyMemory(() => ({}))('own')

    const broken = await brokenBy(testSessionBackend, alone)

    expect(broken).toContainEqual(expect.stringContaining('another on the same records sees at once'))
  })
})

describe('the contracts of the indexes notice one that', () => {
  test('counts the sessions of a user before it adds one, in each process by itself', async () => {
    const make = faultyMemory(({ users }) => {
      const inTurn = oneByOne()
      return {
        users: {
          admit: (user, key, ttlMs, room) =>
            inTurn(async () => {
              const isFull = (await users.list(user)).length >= room.most
              await later()
              if (isFull && room.whenFull === 'refuse') return { isAdmitted: false }
              return users.admit(user, key, ttlMs, { ...room, whenFull: 'add' })
            }),
          renew: (user, key, ttlMs) => users.renew(user, key, ttlMs),
          remove: (user, keys) => users.remove(user, keys),
          list: (user) => users.list(user),
          users: () => users.users(),
        },
      }
    })

    expect(await brokenBy(testUserIndex, make, { only: 'of many at once' })).toEqual([])
    expect(
      await brokenBy(testUserIndex, make, { only: 'whom two backends add at once exactly' }),
    ).toHaveLength(1)
  })

  test('takes what has expired after it looked, in each process by itself', async () => {
    const known = new Map<string, string>()
    const make = faultyMemory(({ expiries }) => {
      const inTurn = oneByOne()
      return {
        expiries: {
          async note(key, about, ttlMs) {
            known.set(key, about)
            await expiries.note(key, about, ttlMs)
          },
          forget: (key) =>
            inTurn(async () => {
              const isKnown = known.has(key)
              await later()
              known.delete(key)
              await expiries.forget(key)
              return isKnown
            }),
          takeExpired: (most) => inTurn(() => expiries.takeExpired(most)),
        },
      }
    })

    expect(await brokenBy(testExpiryIndex, make, { only: 'of two backends' })).toHaveLength(1)
  })
})

test('a sound backend keeps the contract whatever the seed', async () => {
  const make = faultyMemory(() => ({}))
  for (const seed of seeds(5)) {
    expect(await brokenBy(testSessionBackend, make, { seed, only: ' records that ' })).toEqual([])
  }
})
