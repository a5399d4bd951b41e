import { equal } from 'node:assert/strict'
import { moments } from './moments.ts'
import type { Task, VisitedSession } from './test-app.ts'
import type { TestSettings } from './test-options.ts'
import { newSession, type Promises, type Tested } from './tested.ts'
import { visitorOf } from './visitor.ts'

/** Sessions that end while other requests of the same user are under way: their cookie must open nothing any more. */
export function resurrectionPromises({ races, seed }: TestSettings): Promises {
  return {
    async 'a save that comes after destroy does not bring the session back'({ store }) {
      await store.set('ada', newSession({ user: 'ada' }))
      const late = await store.get('ada')
      await store.destroy('ada')
      if (late) await store.set('ada', late)

      equal(await store.get('ada'), undefined)
    },

    async 'a touch that comes after destroy does not bring the session back'({ store }) {
      await store.set('ada', newSession({ user: 'ada' }))
      const late = await store.get('ada')
      await store.destroy('ada')
      if (late) await store.touch('ada', late)

      equal(await store.get('ada'), undefined)
    },

    async [`of ${races} sessions that log out while others save, none comes back`](tested) {
      equal(await revivedOf(tested, { races, seed, end: logOut, late: save }), 0)
    },

    async [`of ${races} sessions that log out while others only read, none comes back`](tested) {
      equal(await revivedOf(tested, { races, seed, end: logOut, late: read }), 0)
    },

    async [`of ${races} sessions that get a new id while others save, the old one stays dead`](tested) {
      equal(await revivedOf(tested, { races, seed, end: regenerate, late: save }), 0)
    },

    async [`of ${races} sessions that get a new id while others only read, the old one stays dead`](tested) {
      equal(await revivedOf(tested, { races, seed, end: regenerate, late: read }), 0)
    },
  }
}

interface Races {
  readonly races: number
  readonly seed: number
  /** The request that ends the session, and what the others do at the same time. */
  readonly end: Task
  readonly late: Task
}

const logOut: Task = (session) => called((callback) => session.destroy(callback))
const regenerate: Task = (session) => called((callback) => session.regenerate(callback))
const read: Task = (session: VisitedSession) => session.user
const save: Task = (session: VisitedSession) => {
  session.seen = Math.random()
}

async function called(call: (callback: (error?: unknown) => void) => unknown): Promise<void> {
  await new Promise<void>((resolve, reject) => call((error) => (error ? reject(error) : resolve())))
}

/** Of so many races, after how many the old cookie opens the session again. */
async function revivedOf({ openApp }: Tested, { races, seed, end, late }: Races): Promise<number> {
  // A cookie with an end of its own makes each touch write it.
  const app = await openApp({ maxAge: 3_600_000 })
  let revived = 0
  const race = async (number: number) => {
    const visitor = await visitorOf(async () => app)
    const old = visitor.again()
    const turns = moments(seed * 1_000_003 + number, 4)
    await Promise.all(
      [end, late, late, late].map((task, place) =>
        old.again().visit(async (session, request) => {
          await turns.wait(place)
          return task(session, request)
        }),
      ),
    )
    if ((await old.user()) !== null) revived += 1
  }
  for (let begun = 0; begun < races; begun += 20) {
    await Promise.all(Array.from({ length: Math.min(20, races - begun) }, (_, n) => race(begun + n)))
  }
  return revived
}
