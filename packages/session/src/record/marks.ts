/**
 * What can stand under a key in place of a session's record. It is no session to anybody: not to us, since it holds none
 * of its fields, and an empty one to connect-redis.
 */
const head = '{"cookie":{"originalMaxAge":null},"__session":'

/** The session has another id now: it is kept under `to`, and `salt` leads from its old id to the new one. */
export interface Moved {
  readonly to: string
  readonly salt: string
  /** Until when the old id is let in; undefined while nobody has shown the new one. Milliseconds since the epoch. */
  readonly until?: number | undefined
}

export function writeMoved({ to, salt, until }: Moved): string {
  return `${head}${JSON.stringify({ movedTo: to, salt, until, v: 1 })}}`
}

/** Undefined for every other record. */
export function readMoved(text: string): Moved | undefined {
  if (!text.startsWith(`${head}{"movedTo":`)) return undefined
  try {
    const { movedTo, salt, until } = JSON.parse(text).__session
    const isWhole = typeof movedTo === 'string' && typeof salt === 'string'
    return isWhole ? { to: movedTo, salt, until: typeof until === 'number' ? until : undefined } : undefined
  } catch {
    return undefined
  }
}

/** Each id that a session had leads to the next for a while. That so many are there at once is no session's doing. */
export const mostMoves = 16

/** The session has ended, and nobody who has read it elsewhere may bring it here. */
export const endedMark: string = `${head}{"ended":true,"v":1}}`

/** Whether the record stands for a session that is not here. */
export function isMark(text: string): boolean {
  return text === endedMark || readMoved(text) !== undefined
}

/** The session was copied here from another store, and may still be there. */
export function isArriving(text: string): boolean {
  // Nothing but a hint: a field of the app's may be called so.
  if (!text.includes('"arriving":true')) return false
  try {
    return JSON.parse(text).__session?.arriving === true
  } catch {
    return false
  }
}
