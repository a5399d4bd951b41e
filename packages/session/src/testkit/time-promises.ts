import { equal, ok } from 'node:assert/strict'
import { newSession, type Promises, until } from './tested.ts'

/** Short enough to wait for, long enough for a busy machine to look before it is over. */
const shortMs = 600
/** A store that counts lives in whole seconds, as many do, is found out: it keeps this for two. */
const overASecondMs = 1_050

/** How long sessions live, by the clocks of this machine and of the place where they are kept. */
export function timePromises(): Promises {
  return {
    async 'a session ends with its cookie, to a fraction of a second'({ store }) {
      const startedAt = performance.now()
      const onTheSecondMs = untilJustAfterASecond()
      await store.set('ada', newSession({}, overASecondMs))
      await store.set('bob', newSession({}, onTheSecondMs))
      const early = await store.get('ada')
      if (performance.now() < startedAt + overASecondMs - 50) ok(early, 'it ended before its time')

      await until(startedAt, Math.max(overASecondMs, onTheSecondMs) + 100)
      equal(await store.get('ada'), undefined)
      equal(await store.get('bob'), undefined)
    },

    async 'touch moves the end of a session'({ store }) {
      const startedAt = performance.now()
      await store.set('ada', newSession({}, shortMs))
      await store.touch('ada', newSession({}))

      await until(startedAt, shortMs + 100)
      ok(await store.get('ada'), 'it ended although it was touched')
    },

    async 'touch stores when the cookie ends now'({ store }) {
      await store.set('ada', newSession({}, shortMs))
      const later = newSession({})
      await store.touch('ada', later)

      const stored = await store.get('ada')
      equal(timeOf(stored?.cookie.expires), timeOf(later.cookie.expires))
    },

    async 'set begins the time of a session anew'({ store }) {
      const startedAt = performance.now()
      await store.set('ada', newSession({}, shortMs))
      await store.set('ada', newSession({}))

      await until(startedAt, shortMs + 100)
      ok(await store.get('ada'), 'it ended although it was set')
    },
  }
}

function timeOf(expires: Date | string | null | undefined): number {
  return new Date(expires ?? 0).getTime()
}

/** Finds out a store that rounds the moment of the end up to a second of the clock. */
function untilJustAfterASecond(): number {
  const ms = 1_050 - (Date.now() % 1_000)
  return ms < 500 ? ms + 1_000 : ms
}
