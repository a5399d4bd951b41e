import { createHmac } from 'node:crypto'

/** The cookie of this id as express-session signs it. */
export function signedCookie(id: string, secret: string, name = '__Host-session'): string {
  const signature = createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '')
  return `${name}=${encodeURIComponent(`s:${id}.${signature}`)}`
}

/** What a cookie holds: the id and its signature. */
export function partsOf(cookie: string): { readonly id: string; readonly signature: string } {
  const value = decodeURIComponent(cookie.slice(cookie.indexOf('=') + 1))
  const dot = value.lastIndexOf('.')
  return { id: value.slice(2, dot), signature: value.slice(dot + 1) }
}
