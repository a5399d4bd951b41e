import { systemClock } from '@stepladder/core'
import type { ChangeFeed, ChangeListener, SessionBackend } from '@stepladder/session'
import { type MakeSessionBackend, testChangeFeed } from '@stepladder/session/testing'
import { describe, expect, test } from 'vitest'
import { brokenBy } from '../broken-by.ts'
import { type Connection, ToldPlace } from './told-place.ts'

type BackendFaults = (sound: SessionBackend) => Partial<SessionBackend>

interface Faults {
  /** Between what is told and who listens. */
  readonly listener?: (sound: ChangeListener) => ChangeListener
  readonly feed?: (sound: ChangeFeed) => ChangeFeed
  /** Of the process that listens, and of each. */
  readonly own?: BackendFaults
  readonly each?: BackendFaults
}

const tools = { fenceMs: 200, recoverWithinMs: 2_000 }

/** The promises that such a feed breaks. */
function brokenByFeed(faults: Faults, only = ''): Promise<string[]> {
  const places = new Map<string, ToldPlace>()
  const connections: Connection[] = []
  const connect = (prefix: string) => {
    const told = places.get(prefix) ?? new ToldPlace(systemClock, { call: () => 1, told: () => 1 })
    places.set(prefix, told)
    const { backend, connection } = told.connect()
    return { connection, backend: { ...backend, ...faults.each?.(backend) } }
  }
  const make: MakeSessionBackend = (prefix) => {
    const { backend, connection } = connect(prefix)
    connections.push(connection)
    return { ...backend, ...faults.own?.(backend), follow: faulty(backend.follow!, faults) }
  }
  const place = {
    freeze: () => connections.forEach((each) => void each.break()),
    thaw: () => connections.forEach((each) => void each.mend()),
    cut: () => connections.forEach((each) => void each.cut(20)),
  }
  const elsewhere: MakeSessionBackend = (prefix) => connect(prefix).backend
  return brokenBy(testChangeFeed, make, { ...tools, place, elsewhere, only })
}

type Follow = NonNullable<SessionBackend['follow']>

function faulty(follow: Follow, { listener = same, feed = same }: Faults): Follow {
  return (heard, options) => feed(follow(listener(heard), options))
}

function same<T>(sound: T): T {
  return sound
}

type Note = (id: string) => void

/** Is told nothing of the calls that note their id. */
function untold(
  who: 'own' | 'each',
  calls: (sound: SessionBackend, note: Note) => Partial<SessionBackend>,
): Faults {
  const noted = new Set<string>()
  return {
    [who]: (sound: SessionBackend) => calls(sound, (id) => void noted.add(id)),
    listener: (sound) => ({
      onChange(id) {
        if (!noted.delete(id)) sound.onChange(id)
      },
      onGap: () => sound.onGap(),
    }),
  }
}

const destroys = (sound: SessionBackend, note: Note): Partial<SessionBackend> => ({
  destroy(id) {
    note(id)
    return sound.destroy(id)
  },
})

const touches = (sound: SessionBackend, note: Note): Partial<SessionBackend> => ({
  touch(id, ttlMs) {
    note(id)
    return sound.touch(id, ttlMs)
  },
})

const ownPuts = (sound: SessionBackend, note: Note): Partial<SessionBackend> => ({
  put(id, text, ttlMs) {
    note(id)
    return sound.put(id, text, ttlMs)
  },
})

function telling(change: (sound: ChangeListener) => Partial<ChangeListener>): Faults {
  return {
    listener: (sound) => ({
      onChange: (id) => sound.onChange(id),
      onGap: () => sound.onGap(),
      ...change(sound),
    }),
  }
}

const tellsLate = telling((sound) => ({
  onChange: (id) => void setTimeout(() => sound.onChange(id), 150),
}))

const losesSome = (): Faults => {
  let heard = 0
  return telling((sound) => ({
    onChange(id) {
      heard += 1
      if (heard % 50 > 0) sound.onChange(id)
    },
  }))
}

function claiming(change: (sound: ChangeFeed) => Partial<ChangeFeed>): Faults {
  return {
    feed: (sound) => {
      const changed = change(sound)
      return {
        get heardUntil() {
          return changed.heardUntil ?? sound.heardUntil
        },
        close: changed.close ?? (() => sound.close()),
      }
    },
  }
}

const tellsReads = (): Faults => {
  const listeners: ChangeListener[] = []
  return {
    listener(sound) {
      listeners.push(sound)
      return sound
    },
    each: (sound) => ({
      get(id) {
        for (const listener of listeners) listener.onChange(id)
        return sound.get(id)
      },
    }),
  }
}

const byAnother = 'each change that another backend makes is told'
const byItself = 'so is each change that the backend makes itself'
const many = 'of many records that are changed at once, each is told'
const closed = 'a feed that is closed'
const fence = 'frozen, memory is not trusted for longer than the fence'
const noneUntold = 'no change goes untold'

describe('the contract of what a backend tells of changes', () => {
  test('is kept by one that tells of all', async () => {
    expect(await brokenByFeed({})).toEqual([])
  })

  test.concurrent.each<[string, Faults, string, number]>([
    ['forgets to tell of destroys', untold('each', destroys), byAnother, 1],
    ['forgets to tell of touches', untold('each', touches), byAnother, 1],
    ['does not tell a process what it wrote itself', untold('own', ownPuts), byItself, 1],
    ['loses some of many', losesSome(), many, 1],
    [
      'tells of other records than were changed',
      telling((sound) => ({ onChange: (id) => sound.onChange(`:${id}`) })),
      byAnother,
      1,
    ],
    ['tells late, and is trusted meanwhile', tellsLate, byAnother, 1],
    [
      'claims to hear whether it does or not',
      claiming(() => ({ heardUntil: Number.POSITIVE_INFINITY })),
      fence,
      1,
    ],
    [
      'claims to hear whether it does or not',
      claiming(() => ({ heardUntil: Number.POSITIVE_INFINITY })),
      noneUntold,
      2,
    ],
    ['never claims to hear', claiming(() => ({ heardUntil: Number.NEGATIVE_INFINITY })), byAnother, 1],
    ['says nothing of a gap', telling(() => ({ onGap() {} })), noneUntold, 2],
    ['goes on when it is closed', claiming(() => ({ close: async () => {} })), closed, 1],
    ['tells what was only read', tellsReads(), 'what is only read is not told', 1],
  ])('notices one that %s: %#', async (_, faults, only, count) => {
    expect(await brokenByFeed(faults, only)).toHaveLength(count)
  })
})
