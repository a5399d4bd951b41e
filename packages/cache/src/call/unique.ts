import { randomBytes } from 'node:crypto'

/** A name that nobody else has, in any process: 72 bits of chance. Short, since it goes into each record and command. */
export function uniqueName(): string {
  return randomBytes(9).toString('base64url')
}
