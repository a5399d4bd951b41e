import { hash, randomBytes } from 'node:crypto'

/** 192 bits from the system's generator, of which OWASP ASVS 5.0 (7.2.3) asks 128: 32 characters, safe in a cookie. */
export function newSessionId(): string {
  return randomBytes(24).toString('base64url')
}

/**
 * What stands for the id in the store: its SHA-256, so that who reads the store can forge no cookie. The mark in
 * front is one that no id has: a cookie that presents a stored key as its id is refused.
 */
export function hashedId(id: string): string {
  return `${hashMark}${hash('sha256', id, 'base64url')}`
}

/** Ids of other libraries are let in, keys of the store are not. */
export function isSessionId(id: string): boolean {
  return id.length > 0 && id.length <= mostCharacters && !id.startsWith(hashMark)
}

const hashMark = 'h~'
const mostCharacters = 256
