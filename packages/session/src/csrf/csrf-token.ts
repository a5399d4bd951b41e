import { randomBytes, timingSafeEqual } from 'node:crypto'
import { Hmac } from '../cookie/hmac.ts'
import { SessionEndedError } from '../errors.ts'
import type { Notes } from '../visit/note-book.ts'

/** The session that tokens are made for, as its request knows it. */
export interface CsrfOwner {
  readonly id: string
  /** Undefined once it was destroyed. */
  readonly session: object | undefined
  readonly meta: { readonly csrf?: string | undefined }
  note(notes: Notes, isDue: boolean): void
}

/** A token of the session, another each time. The first of a session makes its seed, and has it saved. */
export function csrfTokenOf(owner: CsrfOwner): string {
  if (!owner.session) throw new SessionEndedError()
  const known = owner.meta.csrf
  const csrf = known ?? seedOf(owner.id)
  if (known === undefined) owner.note({ csrf }, true)
  // A page that is compressed tells of a secret that stands in it each time (BREACH), not of one that is never the same.
  const nonce = randomBytes(nonceBytes).toString('base64url')
  return `${nonce}${signatureOf(nonce, csrf)}`
}

/** Whether `csrfTokenOf` made the token of this seed. */
export function isCsrfToken(token: string, seed: string): boolean {
  const nonce = token.slice(0, nonceLength)
  const given = Buffer.from(token.slice(nonceLength, mostLetters))
  const right = Buffer.from(signatureOf(nonce, seed))
  return token.length < mostLetters && given.length === right.length && timingSafeEqual(given, right)
}

/**
 * Made of the id, which is 192 random bits that nobody else knows, so that requests that begin to ask at the same time
 * get the same. It is kept, since a session goes on when its id is replaced by the next.
 */
function seedOf(id: string): string {
  return new Hmac(id).digest('stepladder: csrf').toString('base64url')
}

function signatureOf(nonce: string, seed: string): string {
  return new Hmac(seed).digest(nonce).toString('base64url')
}

const nonceBytes = 18
const nonceLength = 24
const mostLetters = 100
