import { MemorySessionBackend, type SessionStore, sessionStore } from '@stepladder/session'
import { type PromiseGroup, testSessionStore } from '@stepladder/session/testkit'
import { describe, expect, test } from 'vitest'
import { brokenPromises } from './broken-promises.ts'

/** A session as any other object: these faults do not mind what is in it. */
type Fields = Record<string, unknown> & { cookie: { expires?: Date | null } }
type Callback = (error?: unknown, value?: unknown) => void

/** What a fault puts in the place of methods of a sound store, as express-session calls them. */
interface Methods {
  get?(id: string, callback: Callback): void
  set?(id: string, session: Fields, callback: Callback): void
  touch?(id: string, session: Fields, callback: Callback): void
  destroy?(id: string, callback: Callback): void
  clear?(callback: Callback): void
  length?(callback: Callback): void
  regenerate?(request: never, callback: Callback): void
}

type Fault = (sound: SessionStore, backend: MemorySessionBackend) => Methods

/** Our own store, which keeps every promise, with one fault planted in it. */
function faulty(fault: Fault): SessionStore {
  const backend = new MemorySessionBackend()
  const store = sessionStore({ backend, timeout: '5s' })
  return Object.assign(store, fault(sessionStore({ backend, timeout: '5s' }), backend))
}

const groups: PromiseGroup[] = ['contract', 'time', 'concurrency', 'resurrection', 'failures', 'outage']
const whole = { requests: 20, races: 5 }

async function brokenIn(group: PromiseGroup, fault: Fault): Promise<string[]> {
  const without = groups.filter((other) => other !== group)
  return [...(await brokenPromises(() => faulty(fault), { ...whole, without })).keys()]
}

const mutants: [does: string, group: PromiseGroup, promise: string, fault: Fault][] = [
  [
    'saves nothing',
    'contract',
    'what was set is got, and an id that nobody set is no session',
    () => ({ set: (_id, _session, callback) => callback() }),
  ],
  [
    'finds nothing',
    'contract',
    'what was set is got, and an id that nobody set is no session',
    () => ({ get: (_id, callback) => callback(null, null) }),
  ],
  [
    'does not tell upper from lower case',
    'contract',
    'what was set is got, and an id that nobody set is no session',
    (sound) => ({ get: (id, callback) => sound.get(id.toLowerCase(), callback) }),
  ],
  [
    'adds a field',
    'contract',
    'a session comes back as JSON has it, and nothing is added to it',
    (sound) => ({
      set: (id, session, callback) =>
        sound.set(id, Object.assign(session, { lastAccess: Date.now() }), callback),
    }),
  ],
  [
    'loses the last field',
    'contract',
    'a session comes back as JSON has it, and nothing is added to it',
    (sound) => ({
      set: (id, session, callback) =>
        sound.set(id, Object.fromEntries(Object.entries(session).slice(0, -1)) as Fields, callback),
    }),
  ],
  [
    'hands out the object that it keeps',
    'contract',
    'who changes what he got changes nothing until he sets it',
    () => {
      const kept = new Map<string, Fields>()
      return {
        get: (id, callback) => callback(null, kept.get(id)),
        set: (id, session, callback) => callback(kept.set(id, session) && null),
      }
    },
  ],
  [
    'destroys nothing',
    'contract',
    'what was destroyed is gone, and destroying what is not there is fine',
    () => ({ destroy: (_id, callback) => callback() }),
  ],
  [
    'never calls back',
    'contract',
    'all, length and clear, where there are any, mean every session',
    () => ({ clear: () => {} }),
  ],
  [
    'calls back before it has saved',
    'contract',
    'once set has called back, the session is there for whoever asks next',
    (sound) => ({
      set: (id, session, callback) => {
        setTimeout(() => sound.set(id, session, () => {}), 20)
        callback()
      },
    }),
  ],
  [
    'clears nothing',
    'contract',
    'all, length and clear, where there are any, mean every session',
    () => ({ clear: (callback) => callback() }),
  ],
  [
    'counts what is not there',
    'contract',
    'all, length and clear, where there are any, mean every session',
    (sound) => ({ length: (callback) => sound.length((error, count = 0) => callback(error, count + 1)) }),
  ],
  [
    'leaves the old session when it regenerates',
    'contract',
    'regenerate gives a new id and leaves the old one without a session',
    () => ({
      regenerate(this: SessionStore, request: never, callback: Callback) {
        this.generate?.(request)
        callback()
      },
    }),
  ],
  [
    'keeps sessions for ever',
    'time',
    'a session ends with its cookie, to a fraction of a second',
    (sound) => ({
      set: (id, session, callback) => sound.set(id, { ...session, cookie: {} } as Fields, callback),
    }),
  ],
  [
    'touches nothing',
    'time',
    'touch moves the end of a session',
    () => ({ touch: (_id, _session, callback) => callback() }),
  ],
  [
    'leaves the cookie as it was',
    'time',
    'touch stores when the cookie ends now',
    (_sound, backend) => ({
      touch: (id, _session, callback) => void backend.touch(id, 60_000).then(() => callback()),
    }),
  ],
  [
    'writes the whole session at each touch',
    'concurrency',
    'touch writes no field: what another request has saved meanwhile stays',
    (sound) => ({ touch: (id, session, callback) => sound.set(id, { ...session }, callback) }),
  ],
  [
    'writes what it is given',
    'concurrency',
    '20 requests at once that each set another field keep them all',
    (sound) => ({ set: (id, session, callback) => sound.set(id, { ...session }, callback) }),
  ],
  [
    'brings back what it saves',
    'resurrection',
    'a save that comes after destroy does not bring the session back',
    (sound) => ({ set: (id, session, callback) => sound.set(id, { ...session }, callback) }),
  ],
  [
    'brings back what it saves, looking first',
    'resurrection',
    'of 5 sessions that log out while others save, none comes back',
    (sound, backend) => ({
      set: (id, session, callback) =>
        void backend.get(id).then(async (found) => {
          await new Promise(setImmediate)
          if (found === undefined && session.seen) callback()
          else sound.set(id, { ...session }, callback)
        }),
    }),
  ],
  [
    'brings back what it touches',
    'resurrection',
    'a touch that comes after destroy does not bring the session back',
    (sound) => ({ touch: (id, session, callback) => sound.set(id, { ...session }, callback) }),
  ],
  [
    'throws at what is no JSON',
    'failures',
    'set of a session with a BigInt calls back with an error',
    (sound) => ({
      set: (id, session, callback) => sound.set(id, JSON.parse(JSON.stringify(session)), callback),
    }),
  ],
  [
    'keeps to itself that it saved nothing',
    'failures',
    'set of a session with a cycle calls back with an error',
    (sound) => ({ set: (id, session, callback) => sound.set(id, session, () => callback()) }),
  ],
]

describe('the kit notices a store that', () => {
  test.concurrent.each(mutants)('%s', async (_, group, promise, fault) => {
    expect(await brokenIn(group, fault)).toContain(promise)
  })
})

test('the kit notices nothing where no fault is planted', async () => {
  expect(await brokenPromises(() => faulty(() => ({})), whole)).toEqual(new Map())
})

test('what is left out is told to the runner by its title, and not run', () => {
  const skipped: string[] = []
  const ran: string[] = []
  const runner = Object.assign((title: string) => ran.push(title), {
    skip: (title: string) => skipped.push(title),
  })
  testSessionStore('ours', () => sessionStore(), { test: runner, without: ['time'] })

  expect(skipped).toContain('ours: touch moves the end of a session')
  expect(ran).not.toContain('ours: touch moves the end of a session')
  expect(ran).toContain('ours: what was destroyed is gone, and destroying what is not there is fine')
})

test('wrong options are told at once', () => {
  const open = () => sessionStore()
  expect(() => testSessionStore('ours', open, { test, without: ['speed' as PromiseGroup] })).toThrow(
    'without',
  )
  expect(() => testSessionStore('ours', open, { test, place: { freeze: () => {} } })).toThrow('place')
  expect(() => testSessionStore('ours', open, { test, races: 0 })).toThrow('races')
})
