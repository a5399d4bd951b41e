import type { Task, TestApp } from './test-app.ts'

export interface Visit {
  readonly status: number
  readonly answer: unknown
  readonly ms: number
}

/** Who waits longer than this has no answer. */
export const noAnswerMs = 3_000

/** A browser with one cookie, as far as a session goes. */
export class Visitor {
  readonly #app: TestApp
  cookie: string

  constructor(app: TestApp, cookie = '') {
    this.#app = app
    this.cookie = cookie
  }

  /** Another request with this cookie, which keeps the cookies of its answers to itself. */
  again(): Visitor {
    return new Visitor(this.#app, this.cookie)
  }

  /** A request that does `task`. Rejects when there is no answer within `patienceMs`; one that is cut short is one. */
  async visit(task: Task, patienceMs = 10_000): Promise<Visit> {
    const startedAt = performance.now()
    const response = await fetch(this.#app.url + this.#app.add(task), {
      headers: this.cookie ? { cookie: this.cookie } : {},
      signal: AbortSignal.timeout(patienceMs),
    })
    const answer: unknown = await response.json().catch(rethrowTimeout)
    this.cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? this.cookie
    return { status: response.status, answer, ms: performance.now() - startedAt }
  }

  async logIn(): Promise<this> {
    await this.visit((session) => {
      session.user = 'ada'
    })
    return this
  }

  /** Who is logged in with this cookie, as a new request sees it. */
  async user(): Promise<unknown> {
    return (await this.again().visit((session) => session.user)).answer
  }
}

function rethrowTimeout(failure: Error): undefined {
  if (failure.name === 'TimeoutError') throw failure
  return undefined
}

/** Somebody who has logged in at a new app. */
export async function visitorOf(openApp: () => Promise<TestApp>): Promise<Visitor> {
  return new Visitor(await openApp()).logIn()
}
