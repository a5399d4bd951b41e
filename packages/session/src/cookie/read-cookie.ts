/** A cookie header beyond this is no browser's; nobody has to search it. */
const mostCharacters = 65_536

/**
 * The values of every cookie of this name in a `Cookie` header (RFC 6265, 5.4), in their order and as they stand there:
 * there may be several, for other paths and domains. What is no cookie is passed over.
 */
export function readCookies(header: string, name: string): string[] {
  if (header.length > mostCharacters) return []
  const values: string[] = []
  let at = header.indexOf(name)
  while (at >= 0) {
    const value = valueAt(header, at, name.length)
    if (value !== undefined) values.push(value)
    at = header.indexOf(name, at + name.length)
  }
  return values
}

/** Undefined where the name is only a part of something else. */
function valueAt(header: string, at: number, nameLength: number): string | undefined {
  if (!isBegin(header, at)) return undefined
  if (header[at + nameLength] !== '=') return undefined
  const end = header.indexOf(';', at)
  return header.slice(at + nameLength + 1, end < 0 ? undefined : end).trim()
}

/** Whether only blanks stand between here and the cookie before: a cookie may hold blanks, and our name behind them. */
function isBegin(header: string, at: number): boolean {
  let before = at - 1
  while (header[before] === ' ' || header[before] === '\t') before -= 1
  return before < 0 || header[before] === ';'
}

/** What a cookie's value means; undefined where it does not decode. */
export function decodeCookie(raw: string): string | undefined {
  const value = raw.startsWith('"') && raw.endsWith('"') && raw.length > 1 ? raw.slice(1, -1) : raw
  if (!value.includes('%')) return value
  try {
    return decodeURIComponent(value)
  } catch {
    return undefined
  }
}
