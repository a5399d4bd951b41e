import type { ServerResponse } from 'node:http'

/** Writes the tags for CDNs that purge by them: `Surrogate-Key` (Fastly and others), `Cache-Tag` (Cloudflare and others). */
export function writeSurrogateKeys(response: ServerResponse, tags: readonly string[]): void {
  if (tags.length === 0) return
  const keys = tags.map(encode)
  response.setHeader('Surrogate-Key', keys.join(' '))
  response.setHeader('Cache-Tag', keys.join(','))
}

/** A tag made of what a client sent must not become two, nor break out of its header. */
function encode(tag: string): string {
  return encodeURIComponent(tag).replaceAll('%3A', ':').replaceAll('%2F', '/')
}
