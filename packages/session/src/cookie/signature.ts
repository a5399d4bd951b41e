import { timingSafeEqual } from 'node:crypto'
import { Hmac } from './hmac.ts'
import { isSessionId } from './session-id.ts'

/** An id that a cookie brought; `isOldSecret`: it should be signed anew. */
export interface Unsigned {
  readonly id: string
  readonly isOldSecret: boolean
}

/** What 32 bytes are in base64 without padding. */
const signatureLength = 43

/**
 * Signs ids as express-session does, `s:<id>.<HMAC-SHA256 in base64>`, so that its cookies are ours and ours are its.
 * The first secret signs, all of them are accepted.
 */
export class Signer {
  readonly #hmacs: readonly Hmac[]

  constructor(secrets: readonly string[]) {
    this.#hmacs = secrets.map((secret) => new Hmac(secret))
  }

  sign(id: string): string {
    return `s:${id}.${signature(this.#hmacs[0]!, id)}`
  }

  /** Undefined for what none of the secrets signed. */
  unsign(value: string): Unsigned | undefined {
    const dot = value.length - signatureLength - 1
    if (dot < 2 || value[dot] !== '.' || !value.startsWith('s:')) return undefined
    const id = value.slice(2, dot)
    if (!isSessionId(id)) return undefined
    // As text: the last letter of it holds two bits that decoding would pass over.
    const given = Buffer.from(value.slice(dot + 1))
    for (const [index, hmac] of this.#hmacs.entries()) {
      const right = Buffer.from(signature(hmac, id))
      if (right.length === given.length && timingSafeEqual(right, given))
        return { id, isOldSecret: index > 0 }
    }
    return undefined
  }
}

function signature(hmac: Hmac, id: string): string {
  return hmac.digest(id).toString('base64').slice(0, signatureLength)
}
