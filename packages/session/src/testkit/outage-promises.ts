import { equal, ok } from 'node:assert/strict'
import type { TestApp } from './test-app.ts'
import type { TestSettings } from './test-options.ts'
import type { Promises, Tested } from './tested.ts'
import { noAnswerMs, Visitor, visitorOf } from './visitor.ts'

/** What requests see while the place of the sessions does not answer, and after it does again. */
export function outagePromises({ place, answerWithinMs }: TestSettings): Promises {
  const { freeze, thaw, stop, start } = place
  return {
    ...(freeze && thaw ? outageOf('frozen', { hit: freeze, mend: thaw }, answerWithinMs) : {}),
    ...(stop && start ? outageOf('gone', { hit: stop, mend: start }, answerWithinMs) : {}),
    ...(freeze || stop ? {} : outageOf('away', nowhere, answerWithinMs)),
  }
}

interface Break {
  readonly hit: () => unknown
  readonly mend: () => unknown
}

/** Stands in where there is nothing to break, for the titles of what is left out. */
const nowhere: Break = { hit: () => {}, mend: () => {} }

function outageOf(state: string, { hit, mend }: Break, answerWithinMs: number): Promises {
  const whileAway = async (tested: Tested, check: (app: TestApp, visitor: Visitor) => Promise<void>) => {
    const app = await tested.openApp()
    const visitor = await visitorOf(async () => app)
    await hit()
    try {
      await check(app, visitor)
    } finally {
      await mend()
    }
    return visitor
  }

  return {
    async [`while the place is ${state}, a request with a session is answered within ${answerWithinMs} ms, and not as if all were well`](
      tested,
    ) {
      await whileAway(tested, async (app, visitor) => {
        await answeredInTime(() => visitor.again(), answerWithinMs, 'read')
        ok(app.errors.length > 0, 'the app heard of no error')
      })
    },

    async [`while the place is ${state}, a login is answered within ${answerWithinMs} ms, and the app hears that it was not saved`](
      tested,
    ) {
      await whileAway(tested, async (app) => {
        await answeredInTime(() => new Visitor(app), answerWithinMs, 'log in')
        ok(app.errors.length > 0, 'the app heard of no error')
      })
    },

    async [`while the place is ${state}, requests without a session are served`](tested) {
      await whileAway(tested, async (app) => {
        const { status } = await new Visitor(app).visit(() => 'hello', noAnswerMs)
        equal(status, 200)
      })
    },

    async [`after the place was ${state}, sessions are there again without a restart`](tested) {
      const visitor = await whileAway(tested, async (_, away) => {
        await away
          .again()
          .visit(() => 'hello', noAnswerMs)
          .catch(() => {})
      })
      await visitor
        .again()
        .visit(() => 'hello', noAnswerMs)
        .catch(() => {})
      await recovered(visitor)
    },
  }
}

/** The quickest of three counts, for the machine may be busy; that one of them hangs does not pass. */
async function answeredInTime(visitor: () => Visitor, withinMs: number, what: string): Promise<void> {
  const times: number[] = []
  for (let attempt = 0; attempt < 3; attempt++) {
    const startedAt = performance.now()
    const ended = await visitor()
      .visit((session) => {
        if (what === 'log in') session.user = 'bob'
        return session.user ?? null
      }, noAnswerMs)
      .then(
        () => 'answered',
        (failure: Error) => failure.name,
      )
    if (ended === 'TimeoutError') throw new Error(`no answer within ${noAnswerMs} ms`)
    times.push(performance.now() - startedAt)
  }
  const quickest = Math.min(...times)
  ok(quickest <= withinMs, `the quickest of ${times.length} answers took ${Math.round(quickest)} ms`)
}

/** A client that reconnects needs its time; one that has given up is found out. */
const recoveryMs = 10_000

async function recovered(visitor: Visitor): Promise<void> {
  const givenUpAt = Date.now() + recoveryMs
  for (;;) {
    const user = await visitor.user().catch(() => undefined)
    if (user === 'ada') return
    if (Date.now() > givenUpAt) throw new Error(`no session ${recoveryMs} ms after it was mended`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
