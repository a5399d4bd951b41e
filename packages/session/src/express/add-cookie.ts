import type { ServerResponse } from 'node:http'
import type { WriterName } from './response-writers.ts'

/**
 * Adds a `Set-Cookie` header to the answer that a writer is about to begin with `args`, and returns the arguments it is
 * to be called with: headers that `writeHead` is given take the place of those that were set before.
 */
export function addCookie(
  response: ServerResponse,
  cookie: string,
  name: WriterName,
  args: unknown[],
): unknown[] {
  const at = args[2] == null ? 1 : 2
  const given = name === 'writeHead' ? args[at] : undefined
  const headers =
    typeof given === 'object' && given !== null ? withCookie(given, cookie, response) : undefined
  if (headers) return args.with(at, headers)
  const before = [response.getHeader('Set-Cookie') ?? []].flat()
  // It is there already where the app has begun this answer before, and failed.
  if (!before.includes(cookie)) response.setHeader('Set-Cookie', [...before.map(String), cookie])
  return args
}

/** Undefined where the headers say nothing of cookies: then it is set beside them. */
function withCookie(headers: object, cookie: string, response: ServerResponse): object | undefined {
  if (Array.isArray(headers)) return listWithCookie(headers, cookie, response)
  const own = Object.entries(headers).findLast(([name]) => isSetCookie(name))
  return own && { ...headers, [own[0]]: [own[1], cookie].flat() }
}

/** A list of names and values, or of pairs of them. Node takes pairs only where no header was set before. */
function listWithCookie(
  headers: readonly unknown[],
  cookie: string,
  response: ServerResponse,
): unknown[] | undefined {
  const isPairs = Array.isArray(headers[0])
  const hasCookie = headers.some((item, index) =>
    isPairs ? isSetCookie((item as unknown[])[0]) : index % 2 === 0 && isSetCookie(item),
  )
  if (!hasCookie && response.getHeaderNames().length > 0) return undefined
  return isPairs ? [...headers, ['Set-Cookie', cookie]] : [...headers, 'Set-Cookie', cookie]
}

function isSetCookie(name: unknown): boolean {
  return String(name).toLowerCase() === 'set-cookie'
}
