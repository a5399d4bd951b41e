import { hashedId } from '../cookie/session-id.ts'
import type { SessionMeta } from '../record/session-record.ts'

/**
 * A session's public name, for a page that lists sessions say: neither it nor the store lets anyone make a cookie of
 * it. It stays when the session's id is rotated.
 */
export function handleOf(
  { hashIds }: { readonly hashIds: boolean },
  key: string,
  meta?: SessionMeta | undefined,
): string {
  return meta?.handle ?? (hashIds ? key : hashedId(key))
}
