import { deepEqual, equal } from 'node:assert/strict'
import type { VisitedSession } from './test-app.ts'
import type { TestSettings } from './test-options.ts'
import { fieldsOf, newSession, type Promises, type Tested } from './tested.ts'
import { visitorOf } from './visitor.ts'

/** Requests of one user that are under way at the same time, as a browser sends them. */
export function concurrencyPromises({ requests }: TestSettings): Promises {
  return {
    async [`${requests} requests at once that each set another field keep them all`](tested) {
      const kept = await changedAtOnce(tested, requests, (session, name) => {
        session[name] = true
      })
      equal(namesIn(kept).length, requests)
    },

    async [`${requests} requests at once that each set another field of one object keep them all`](tested) {
      const kept = await changedAtOnce(tested, requests, (session, name) => {
        session.cart = { ...objectIn(session), [name]: true }
      })
      equal(namesIn(objectIn(kept)).length, requests)
    },

    async 'a request that saves takes along nothing that it has not changed'({ store }) {
      await store.set('ada', newSession({ user: 'ada', cart: { books: 1 } }))
      const [one, two] = [await store.get('ada'), await store.get('ada')]
      if (!one || !two) throw new Error('the session is not there')
      one.user = 'lovelace'
      await store.set('ada', one)
      two.seen = true
      await store.set('ada', two)

      deepEqual(fieldsOf(await store.get('ada')), { user: 'lovelace', cart: { books: 1 }, seen: true })
    },

    async 'a field that one request removes stays removed when another saves'({ store }) {
      await store.set('ada', newSession({ user: 'ada', flash: 'welcome' }))
      const [one, two] = [await store.get('ada'), await store.get('ada')]
      if (!one || !two) throw new Error('the session is not there')
      delete one.flash
      await store.set('ada', one)
      two.seen = true
      await store.set('ada', two)

      deepEqual(fieldsOf(await store.get('ada')), { user: 'ada', seen: true })
    },

    async 'touch writes no field: what another request has saved meanwhile stays'({ store }) {
      await store.set('ada', newSession({ user: 'ada' }))
      const [reading, writing] = [await store.get('ada'), await store.get('ada')]
      if (!reading || !writing) throw new Error('the session is not there')
      await store.set('ada', { ...writing, seen: true })
      await store.touch('ada', { ...reading, cookie: newSession({}).cookie })

      deepEqual(fieldsOf(await store.get('ada')), { user: 'ada', seen: true })
    },
  }
}

/** The session after so many requests that had all read it before the first of them changed it. */
async function changedAtOnce(
  { openApp }: Tested,
  requests: number,
  change: (session: VisitedSession, name: string) => void,
): Promise<object> {
  const visitor = await visitorOf(openApp)
  const everybodyIsIn = Promise.withResolvers<void>()
  let inside = 0
  await Promise.all(
    Array.from({ length: requests }, (_, n) =>
      visitor.again().visit(async (session) => {
        inside += 1
        if (inside === requests) everybodyIsIn.resolve()
        await everybodyIsIn.promise
        change(session, `n${n}`)
      }, 30_000),
    ),
  )
  const { answer } = await visitor.visit((session) => session)
  return Object(answer)
}

function namesIn(fields: object): string[] {
  return Object.keys(fields).filter((name) => /^n\d+$/.test(name))
}

function objectIn(session: object): object {
  return 'cart' in session ? Object(session.cart) : {}
}
