import { equal } from 'node:assert/strict'
import { NotCalledBackError } from './promised-store.ts'
import { newSession, type Promises, type Tested } from './tested.ts'
import { noAnswerMs, visitorOf } from './visitor.ts'

/** Sessions that cannot be stored: whoever made one must hear of it, and the request must end. */
export function failurePromises(): Promises {
  return {
    async 'set of a session with a BigInt calls back with an error'({ store }) {
      await callsBackWithError(() => store.set('ada', newSession({ amount: 1n })))
      equal(await store.get('ada'), undefined)
    },

    async 'set of a session with a cycle calls back with an error'({ store }) {
      const session = newSession({})
      session.self = session
      await callsBackWithError(() => store.set('ada', session))
      equal(await store.get('ada'), undefined)
    },

    async 'a request that puts a BigInt into its session is answered, and the app hears why'(tested) {
      await endsWithError(tested, (session) => {
        session.amount = 1n
      })
    },

    async 'a request that puts a cycle into its session is answered, and the app hears why'(tested) {
      await endsWithError(tested, (session) => {
        session.self = session
      })
    },
  }
}

/** What the store throws comes out of express-session's middle, where nobody catches it. */
async function callsBackWithError(call: () => Promise<void>): Promise<void> {
  const error: unknown = await call().then(
    () => new Error('set called back as if it had saved the session'),
    (told: unknown) => (told instanceof NotCalledBackError ? told : undefined),
  )
  if (error) throw error
}

async function endsWithError(
  { openApp }: Tested,
  spoil: (session: Record<string, unknown>) => void,
): Promise<void> {
  const app = await openApp()
  const visitor = await visitorOf(async () => app)
  const ended = await visitor
    .again()
    .visit((session) => spoil(session), noAnswerMs)
    .then(
      () => 'answered',
      (failure: Error) => (failure.name === 'TimeoutError' ? 'left without an answer' : 'answered'),
    )

  equal(ended, 'answered')
  equal(app.errors.length > 0, true, 'the app heard of no error')
  equal(await visitor.user(), 'ada')
}
