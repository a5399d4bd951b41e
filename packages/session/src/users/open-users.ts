import { InvalidOptionError } from '@stepladder/core'
import type { SessionBackend } from '../backend.ts'
import type { Records } from '../records.ts'
import type { SessionsSettings } from '../sessions-options.ts'
import { Users } from './users.ts'

/** Undefined without `userOf`. Throws `InvalidOptionError` for a place that cannot list the sessions of a user. */
export function openUsers(
  owner: string,
  { users }: SessionBackend,
  records: Records,
  { userOf, room, touchAfterMs }: SessionsSettings,
): Users | undefined {
  if (!userOf) return undefined
  if (!users) {
    throw new InvalidOptionError(owner, 'userOf', userOf, 'left out: this `backend` has no index of users')
  }
  return new Users(users, records, { userOf, room, touchAfterMs })
}
