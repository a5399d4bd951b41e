import type { Sessions } from '@stepladder/session'
import { expect } from 'vitest'

export type Fields = Record<string, unknown>

/** What a browser sends back for a `Set-Cookie`. */
export function cookieOf(setCookie: string | undefined): string {
  expect(setCookie).toBeDefined()
  return setCookie!.split(';')[0]!
}

/** Begins a session with these fields, and resolves to its cookie. */
export async function begin(sessions: Sessions<Fields>, fields: Fields): Promise<string> {
  const session = await sessions.load(undefined)
  Object.assign(session, fields)
  return cookieOf(await sessions.commit(session))
}

/** What the session of a cookie holds; nothing is saved. */
export async function fieldsOf(sessions: Sessions<Fields>, cookie: string): Promise<Fields> {
  return { ...(await sessions.load(cookie)) }
}
