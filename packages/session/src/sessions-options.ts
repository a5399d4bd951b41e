import { checkOptionNames, type Duration, InvalidOptionError, parseSize, type Size } from '@stepladder/core'
import { type CookieOptions, readCookieOptions } from './cookie/cookie-options.ts'
import type { CookieSettings } from './cookie/set-cookie.ts'
import type { OnConflict } from './merge.ts'
import { type NearCacheOptions, type NearSettings, readNearOptions } from './near/near-options.ts'
import { type PlaceOptions, type PlaceSettings, parseTime, placeOptionNames, readPlace } from './options.ts'
import {
  readUserOptions,
  type UserOptions,
  type UserSettings,
  userOptionNames,
} from './users/user-options.ts'
import type { SessionData } from './visit/session.ts'

/** What a request gets whose session cannot be read because the store is away. */
export type OnOutage = 'fail' | 'anonymous' | 'readonly'

export interface SessionsOptions<Data extends object = SessionData> extends PlaceOptions, UserOptions<Data> {
  /** Signs the cookies. A list: the first one signs, all are accepted, so that a secret can be replaced. */
  readonly secret: string | readonly string[]
  /** A session that nobody used for so long is over. Default one day. */
  readonly idleTimeout?: Duration | undefined
  /** A session that was begun so long ago is over, used or not. Default 30 days. */
  readonly absoluteTimeout?: Duration | undefined
  /** A request that only reads is written down so often. Default a tenth of `idleTimeout`, at most a minute. */
  readonly touchAfter?: Duration | undefined
  /**
   * Gives a session a new id so often, while it is used: one that was found in a log or a backup is soon worth nothing.
   * At least `rotationGrace`. Default: never, but at each `regenerate`. Not while programs that are no Stepladder read
   * the same sessions.
   */
  readonly rotateEvery?: Duration | undefined
  /** The old id is let in for so long after the new one was shown: requests were under way with it. Default 30 s. */
  readonly rotationGrace?: Duration | undefined
  readonly cookie?: CookieOptions | undefined
  /** Whether the store knows only the SHA-256 of ids. Default true; false: as connect-redis, at `sess:<id>`. */
  readonly hashIds?: boolean | undefined
  /** A session whose fields are more JSON than this is not saved. Default `'256kb'`. */
  readonly maxSize?: Size | undefined
  /**
   * What a request gets while the store is away: `'fail'`, the default: `SessionUnavailableError`, status 503;
   * `'anonymous'`: an empty session, of which no change can be saved; `'readonly'`: what this process saw of it last,
   * of which no change can be saved either; 503 for what it never saw.
   */
  readonly onOutage?: OnOutage | undefined
  /**
   * Answers reads from memory, true or its bounds. For `redis`, which tells every process which sessions were changed
   * or ended; `load(header, { fresh: true })` asks Redis all the same. Default false.
   */
  readonly nearCache?: boolean | NearCacheOptions | undefined
  /**
   * What a response becomes whose session could not be saved: `'fail'`, the default: the error goes to the app's
   * error handler, and nothing of the response was sent; `'report'`: it is sent as it was.
   */
  readonly onSaveFailure?: 'fail' | 'report' | undefined
  /** Decides where two requests changed the same field. Default: what is saved last stays. */
  readonly onConflict?: OnConflict | undefined
}

/** The options that do not say where sessions are kept, checked and complete. */
export interface SessionsSettings extends PlaceSettings, UserSettings {
  readonly secrets: readonly string[]
  readonly idleMs: number
  readonly absoluteMs: number
  readonly touchAfterMs: number
  readonly rotateEveryMs: number | undefined
  readonly rotationGraceMs: number
  readonly cookie: CookieSettings
  readonly hashIds: boolean
  readonly maxBytes: number
  readonly onOutage: OnOutage
  /** Undefined: nothing is remembered. */
  readonly near: NearSettings | undefined
  readonly onSaveFailure: 'fail' | 'report'
  readonly onConflict: OnConflict | undefined
}

const owner = 'createSessions'
const known: readonly string[] = [
  ...placeOptionNames,
  ...userOptionNames,
  ...['secret', 'idleTimeout', 'absoluteTimeout', 'touchAfter', 'cookie', 'hashIds', 'maxSize'],
  ...['rotateEvery', 'rotationGrace'],
  ...['onOutage', 'onSaveFailure', 'onConflict', 'nearCache'],
]

/** Throws `InvalidOptionError` or `UnknownOptionError`, naming the option and its value. */
export function readSessionsOptions(options: SessionsOptions<never>): SessionsSettings {
  checkOptionNames(owner, options, known)
  const idleMs = parseTime(owner, 'idleTimeout', options.idleTimeout ?? '1d')
  const touchAfterMs = parseTime(
    owner,
    'touchAfter',
    options.touchAfter ?? Math.max(1, Math.min(idleMs / 10, 60_000)),
  )
  if (touchAfterMs > idleMs / 2) {
    throw new InvalidOptionError(owner, 'touchAfter', options.touchAfter, 'at most half of `idleTimeout`')
  }
  const onOutage = oneOf('onOutage', options.onOutage ?? 'fail', ['fail', 'anonymous', 'readonly'])
  return {
    ...readPlace(owner, options),
    ...readUserOptions(owner, options),
    secrets: readSecrets(options.secret),
    idleMs,
    absoluteMs: parseTime(owner, 'absoluteTimeout', options.absoluteTimeout ?? '30d'),
    touchAfterMs,
    ...readRotation(options),
    cookie: readCookieOptions(owner, options.cookie ?? {}),
    hashIds: readHashIds(options.hashIds ?? true),
    maxBytes: parseSize(owner, 'maxSize', options.maxSize ?? '256kb'),
    onOutage,
    near: readNearOptions(owner, options.nearCache ?? false, onOutage === 'readonly'),
    onSaveFailure: oneOf('onSaveFailure', options.onSaveFailure ?? 'fail', ['fail', 'report']),
    onConflict: readOnConflict(options.onConflict),
  }
}

function readHashIds(hashIds: boolean): boolean {
  if (typeof hashIds === 'boolean') return hashIds
  throw new InvalidOptionError(owner, 'hashIds', hashIds, 'true or false')
}

function readOnConflict(onConflict: OnConflict | undefined): OnConflict | undefined {
  if (onConflict === undefined || typeof onConflict === 'function') return onConflict
  throw new InvalidOptionError(owner, 'onConflict', onConflict, 'a function')
}

function readRotation({ rotateEvery, rotationGrace = '30s' }: SessionsOptions<never>) {
  const rotationGraceMs = parseTime(owner, 'rotationGrace', rotationGrace)
  if (rotateEvery === undefined) return { rotateEveryMs: undefined, rotationGraceMs }
  const rotateEveryMs = parseTime(owner, 'rotateEvery', rotateEvery)
  if (rotateEveryMs >= rotationGraceMs) return { rotateEveryMs, rotationGraceMs }
  throw new InvalidOptionError(owner, 'rotateEvery', rotateEvery, 'at least `rotationGrace`')
}

function readSecrets(secret: string | readonly string[]): readonly string[] {
  const secrets = typeof secret === 'string' ? [secret] : secret
  const isFine = Array.isArray(secrets) && secrets.length > 0
  if (!isFine || !secrets.every((each) => typeof each === 'string' && each.length > 0)) {
    // Not the value: errors are logged.
    throw new InvalidOptionError(
      owner,
      'secret',
      typeof secret,
      'a text, or a list of them; none may be empty',
    )
  }
  return secrets
}

function oneOf<T extends string>(option: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value
  throw new InvalidOptionError(owner, option, value, allowed.map((each) => `'${each}'`).join(' or '))
}
