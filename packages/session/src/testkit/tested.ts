import type { PromisedStore, StoredSession } from './promised-store.ts'
import type { CookieOptions, TestApp } from './test-app.ts'

/** What a promise is checked on: a new store, and apps on it that end with the check. */
export interface Tested {
  readonly store: PromisedStore
  openApp(cookie?: CookieOptions): Promise<TestApp>
}

/** Checks by what they promise; each rejects when the promise is broken. */
export type Promises = Readonly<Record<string, (tested: Tested) => Promise<void>>>

/** A session as express-session would save it, whose cookie ends so many milliseconds from now. */
export function newSession(fields: object, ms = 3_600_000): StoredSession {
  const expires = new Date(Date.now() + ms)
  return {
    cookie: { originalMaxAge: ms, expires, httpOnly: true, path: '/' } as StoredSession['cookie'],
    ...fields,
  }
}

/** What the app put into a session: all but its cookie. */
export function fieldsOf(session: StoredSession | undefined): object | undefined {
  if (!session) return undefined
  const { cookie: _, ...fields } = session
  return fields
}

/** Until so many milliseconds after `startedAt`, by `performance.now()`: the clock on the wall may jump. */
export async function until(startedAt: number, ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, startedAt + ms - performance.now())))
}
