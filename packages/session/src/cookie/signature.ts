import { createHmac, timingSafeEqual } from 'node:crypto'
import { isSessionId } from './session-id.ts'

/** An id that a cookie brought; `isOldSecret`: it should be signed anew. */
export interface Unsigned {
  readonly id: string
  readonly isOldSecret: boolean
}

/**
 * Signs ids as express-session does, `s:<id>.<HMAC-SHA256 in base64>`, so that its cookies are ours and ours are its.
 * The first secret signs, all of them are accepted.
 */
export class Signer {
  readonly #secrets: readonly string[]

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets
  }

  sign(id: string): string {
    return `s:${id}.${signature(id, this.#secrets[0]!)}`
  }

  /** Undefined for what none of the secrets signed. */
  unsign(value: string): Unsigned | undefined {
    const dot = value.lastIndexOf('.')
    if (dot < 0 || !value.startsWith('s:')) return undefined
    const id = value.slice(2, dot)
    if (!isSessionId(id)) return undefined
    const given = Buffer.from(value.slice(dot + 1))
    for (const [index, secret] of this.#secrets.entries()) {
      const right = Buffer.from(signature(id, secret))
      if (right.length === given.length && timingSafeEqual(right, given))
        return { id, isOldSecret: index > 0 }
    }
    return undefined
  }
}

function signature(id: string, secret: string): string {
  return createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '')
}
