import type { LoadOptions } from '../load-options.ts'
import type { SessionMeta } from '../record/session-record.ts'

const mostCharacters = 256

/** What is kept of the browser that a request came from; undefined: nothing. */
export function deviceOf(
  { keepsDevice }: { readonly keepsDevice: boolean },
  { ip, userAgent }: LoadOptions = {},
): Pick<SessionMeta, 'ip' | 'agent'> | undefined {
  if (!keepsDevice) return undefined
  return { ip: ip?.slice(0, mostCharacters), agent: userAgent?.slice(0, mostCharacters) }
}
