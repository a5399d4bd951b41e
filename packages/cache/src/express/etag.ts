import { createHash } from 'node:crypto'

/** A strong entity tag: two bodies share one only if they are the same, byte for byte. */
export function strongEtag(body: Buffer): string {
  return `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`
}
