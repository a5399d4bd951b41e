import { InvalidOptionError } from '@stepladder/core'
import type { SessionBackend } from '../backend.ts'
import { MemorySessionBackend } from '../backends/memory.ts'
import { reportOnce } from '../operation.ts'
import type { PlaceSettings } from '../options.ts'
import { NearCache } from './near-cache.ts'
import type { NearSettings } from './near-options.ts'

export interface NearPlaceSettings extends PlaceSettings {
  readonly near: NearSettings | undefined
}

/**
 * Undefined where nothing is to be remembered; and before memory, which is as near as it gets. Throws
 * `InvalidOptionError` for a place that does not tell of changes: what others have ended would be served from memory.
 */
export function openNear(
  caller: string,
  backend: SessionBackend,
  settings: NearPlaceSettings,
): NearCache | undefined {
  const { near } = settings
  if (!near || backend instanceof MemorySessionBackend) return undefined
  if (!backend.follow) {
    const [option, value] = near.isServing ? ['nearCache', true] : ['onOutage', 'readonly']
    throw new InvalidOptionError(
      caller,
      option,
      value,
      'used with `redis`, or a backend that can `follow` changes',
    )
  }
  const { fenceMs } = near
  const onRefused = (cause: unknown) => reportOnce('follow', settings, 'refused', cause)
  const feed = { fenceMs, clock: settings.clock, onRefused }
  // Asked for above; TypeScript forgets it within the function.
  return new NearCache(backend, (listener) => backend.follow!(listener, feed), near, settings)
}
