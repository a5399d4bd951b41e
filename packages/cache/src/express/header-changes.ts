import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'

/** A header of a response, its name as it was written. */
export type Header = readonly [name: string, value: string | readonly string[]]

/** What a handler did to the headers that it found. */
export interface HeaderChanges {
  readonly set: readonly Header[]
  readonly removed: readonly string[]
}

/** Of one connection or one moment; or made anew for each client, or kept in a field of their own. */
const notKept = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['content-length', 'date', 'age', 'vary', 'set-cookie'],
])

/**
 * The headers that the handler set or removed since `before`. What middleware before it gave to this client, such as
 * a request id or an allowed origin, is not in it: the next client has passed that middleware too.
 */
export function headerChanges(before: OutgoingHttpHeaders, response: ServerResponse): HeaderChanges {
  const now = response.getHeaders()
  const ofConnection = listed(now.connection)
  const set: Header[] = []
  for (const name of rawNames(response)) {
    const lower = name.toLowerCase()
    const value = now[lower]
    if (value === undefined || notKept.has(lower) || ofConnection.includes(lower)) continue
    if (!isSame(value, before[lower])) set.push([name, Array.isArray(value) ? [...value] : String(value)])
  }
  const removed = Object.keys(before).filter((name) => now[name] === undefined && !notKept.has(name))
  return { set, removed }
}

/** The names as they were written. Node has the method on requests and responses, and documents it for requests. */
function rawNames(response: ServerResponse & { getRawHeaderNames?: () => string[] }): string[] {
  return response.getRawHeaderNames?.() ?? response.getHeaderNames()
}

/** Takes back what happened to the headers since `before`. */
export function resetHeaders(before: OutgoingHttpHeaders, response: ServerResponse): void {
  for (const name of response.getHeaderNames()) {
    if (before[name] === undefined) response.removeHeader(name)
  }
  for (const [name, value] of Object.entries(before)) {
    if (value !== undefined && !isSame(value, response.getHeader(name))) response.setHeader(name, value)
  }
}

/** The members of a header that is a list, as they are written. */
export function members(header: OutgoingHttpHeaders[string]): string[] {
  if (header === undefined) return []
  return String(header)
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '')
}

/** The same in small letters. */
export function listed(header: OutgoingHttpHeaders[string]): string[] {
  return members(header).map((member) => member.toLowerCase())
}

/** Adds names to `Vary`, unless they are there. */
export function addVary(response: ServerResponse, names: readonly string[]): void {
  if (names.length === 0) return
  const vary = response.getHeader('vary')
  const there = listed(vary)
  const missing = names.filter((name) => !there.includes(name.toLowerCase()))
  if (missing.length === 0 || there.includes('*')) return
  response.setHeader('Vary', [...members(vary), ...missing].join(', '))
}

function isSame(one: OutgoingHttpHeaders[string], other: OutgoingHttpHeaders[string]): boolean {
  if (one === undefined || other === undefined) return one === other
  if (Array.isArray(one) !== Array.isArray(other)) return false
  return Array.isArray(one)
    ? one.join('\n') === String((other as string[]).join('\n'))
    : String(one) === String(other)
}
