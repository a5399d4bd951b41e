import type { Clock, Duration } from '@stepladder/core'
import type { SharingRules } from './who-asks.ts'

/** A response as its handler made it. */
export interface CapturedResponse {
  readonly status: number
  /** By their names in small letters; those of middleware mounted before this one are not among them. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: Buffer
}

/** What decides whether, for how long and with which advice a response is kept; the same for all requests of a route. */
export interface ResponseRules extends SharingRules {
  readonly ttlOf: (response: CapturedResponse) => Duration
  readonly statuses: ReadonlySet<number>
  readonly maxBodyBytes: number
  /** Headers that are part of the key by the app's wish, for `Vary`. */
  readonly varied: readonly string[]
  /** All headers that are part of the key. Both in small letters. */
  readonly keyed: ReadonlySet<string>
  readonly maxAgeMs: number
  readonly sharedMaxAgeMs: number | undefined
  readonly staleWhileRevalidateMs: number | undefined
  readonly staleIfErrorMs: number
  readonly surrogateKeys: boolean
  readonly stripSetCookie: boolean
  readonly clock: Clock
}
