/** Whether browsers send a cookie of this path with the request (RFC 6265, 5.1.4). */
export function isWithin(cookiePath: string, request: { url?: string | undefined }): boolean {
  if (cookiePath === '/') return true
  // Express takes the path of a mounted router off `url`.
  const { originalUrl, url = '' } = request as { originalUrl?: string; url?: string }
  const path = (originalUrl ?? url).replace(/^https?:\/\/[^/]*/, '').replace(/[?#].*$/s, '')
  if (!path.startsWith(cookiePath)) return false
  return path.length === cookiePath.length || cookiePath.endsWith('/') || path[cookiePath.length] === '/'
}
