import { deepEqual, equal, notEqual, ok } from 'node:assert/strict'
import { fieldsOf, newSession, type Promises } from './tested.ts'
import { visitorOf } from './visitor.ts'

/** What express-session asks of every store, and a little more than its own tests do. */
export function contractPromises(): Promises {
  return {
    async 'what was set is got, and an id that nobody set is no session'({ store }) {
      await store.set('ada', newSession({ user: 'ada' }))
      await store.set('ada', newSession({ user: 'lovelace' }))

      deepEqual(fieldsOf(await store.get('ada')), { user: 'lovelace' })
      equal(await store.get('bob'), undefined)
      equal(await store.get('Ada'), undefined)
    },

    async 'a session comes back as JSON has it, and nothing is added to it'({ store }) {
      const fields = {
        text: ' \' " \\ % ü😀 ',
        number: 1.5,
        list: [1, { a: null }],
        nested: { deep: { on: true } },
      }
      const session = newSession(fields)
      // Before it is set, for a store may change what it is given.
      const text = JSON.stringify(session)
      await store.set('ada', session)

      deepEqual(JSON.parse(JSON.stringify(await store.get('ada'))), JSON.parse(text))
    },

    async 'who changes what he got changes nothing until he sets it'({ store }) {
      await store.set('ada', newSession({ cart: { books: 1 } }))
      const got = await store.get('ada')
      if (got) got.cart = undefined

      deepEqual(fieldsOf(await store.get('ada')), { cart: { books: 1 } })
    },

    async 'what was destroyed is gone, and destroying what is not there is fine'({ store }) {
      await store.set('ada', newSession({}))
      await store.set('bob', newSession({}))
      await store.destroy('ada')
      await store.destroy('ada')

      equal(await store.get('ada'), undefined)
      ok(await store.get('bob'))
    },

    async 'once set has called back, the session is there for whoever asks next'({ store }) {
      for (let n = 0; n < 20; n++) {
        await store.set(`s${n}`, newSession({ n }))
        deepEqual(fieldsOf(await store.get(`s${n}`)), { n })
      }
    },

    async 'all, length and clear, where there are any, mean every session'({ store }) {
      for (let n = 0; n < 25; n++) await store.set(`s${n}`, newSession({ n }))

      equal((await store.countAll()) ?? 25, 25)
      equal(Number((await store.length()) ?? 25), 25)
      if (await store.clear()) equal(await store.get('s7'), undefined)
    },

    async 'a session is kept from one request to the next, and ends with its destruction'({ openApp }) {
      const visitor = await visitorOf(openApp)
      equal(await visitor.user(), 'ada')

      await visitor.again().visit((session) => new Promise((resolve) => session.destroy(resolve)))
      equal(await visitor.user(), null)
    },

    async 'regenerate gives a new id and leaves the old one without a session'({ openApp }) {
      const visitor = await visitorOf(openApp)
      const old = visitor.again()
      await visitor.visit(async (session, request) => {
        await new Promise((resolve) => session.regenerate(resolve))
        request.session.user = 'bob'
      })

      notEqual(visitor.cookie, old.cookie)
      equal(await visitor.user(), 'bob')
      equal(await old.user(), null)
    },
  }
}
