import { ok } from 'node:assert/strict'
import type { SessionBackend } from '../src/backend.ts'
import type { ExpiryIndex } from '../src/expiry/expiry-index.ts'
import type { UserIndex } from '../src/users/user-index.ts'

/** Fails where there is none. */
export function usersOf({ users }: SessionBackend): UserIndex {
  ok(users, 'this backend has no index of users')
  return users
}

/** Fails where there is none. */
export function expiriesOf({ expiries }: SessionBackend): ExpiryIndex {
  ok(expiries, 'this backend does not tell what has expired')
  return expiries
}
