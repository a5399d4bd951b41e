import { createHmac } from 'node:crypto'
import type { Moved } from '../record/marks.ts'

/**
 * The id that a session has after this one. Both halves are needed: who reads the store has the salt and no id, and who
 * has found an old id in a log has no salt.
 */
export function nextId(id: string, salt: string): string {
  return createHmac('sha256', id).update(salt).digest('base64url').slice(0, idCharacters)
}

/** 192 bits, as `newSessionId` makes them. */
const idCharacters = 32

/** The id that a session has where these moves have led. */
export function idAfter(id: string, moves: readonly Moved[]): string {
  return moves.reduce((before, { salt }) => nextId(before, salt), id)
}

/** Whether who shows the old id is still let in. */
export function isLetIn(moves: readonly Moved[], now: number): boolean {
  return moves.every(({ until }) => until === undefined || now < until)
}
