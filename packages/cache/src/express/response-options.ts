import {
  type Clock,
  checkOptionNames,
  type Duration,
  InvalidOptionError,
  parseDuration,
  parseSize,
  type Size,
  systemClock,
} from '@stepladder/core'
import type { Cache } from '../cache.ts'
import { checkTags } from '../call/key.ts'
import type { CachedRequest } from './cached-request.ts'
import { personalHeaders } from './personal-headers.ts'
import { keyedHeaders } from './response-key.ts'
import type { CapturedResponse, ResponseRules } from './response-rules.ts'
import type { Normalise, VaryRule } from './vary-rule.ts'

export interface CacheResponseOptions<R extends CachedRequest = CachedRequest> {
  /** Where responses are kept: what `createCache()` made. */
  readonly cache: Pick<Cache, 'getOrSet' | 'get' | 'delete'>
  /** How long a response is served, or a function of the response; 0: it is not kept. A shorter `max-age` of the app's own counts. */
  readonly ttl: Duration | ((response: CapturedResponse) => Duration)
  /** Names under which `cache.invalidate({ tags })` drops the response. */
  readonly tags?: readonly string[] | ((request: R) => readonly string[]) | undefined
  /** Stands in the key in place of path and query; protocol, host and `vary` are always part of it. */
  readonly key?: ((request: R) => string) | undefined
  /** Request headers that the answer depends on, each its own entry: names, or names with what makes few values of many. */
  readonly vary?: readonly string[] | Readonly<Record<string, Normalise<R>>> | undefined
  /** Requests for which the cache is not to be used at all, such as those of users who are logged in. */
  readonly skip?: ((request: R) => boolean) | undefined
  /** Statuses that are kept. Default 200, 203, 204, 300, 301, 308, 404 and 410. */
  readonly statuses?: readonly number[] | undefined
  /** Larger bodies are passed on and not kept. Default '1mb'. */
  readonly maxBodySize?: Size | undefined
  /** What browsers are told: how long they need not ask. Default 0, since no invalidation reaches them; asking again costs a 304. */
  readonly maxAge?: Duration | undefined
  /** What CDNs are told (`s-maxage`). Default: the same as browsers. */
  readonly sharedMaxAge?: Duration | undefined
  /** What browsers and CDNs are told: how long they may serve an old copy while they fetch a new one. Default: not told. */
  readonly staleWhileRevalidate?: Duration | undefined
  /** How long after its TTL a response may stand in while the handler answers 5xx: here, and as others are told. Default 0. */
  readonly staleIfError?: Duration | undefined
  /** Writes the tags for CDNs, as `Surrogate-Key` and `Cache-Tag`. Default false. */
  readonly surrogateKeys?: boolean | undefined
  /** Lets clients force a new answer by `Cache-Control: no-cache`, and keep out of the cache by `no-store`. Default false. */
  readonly obeyClients?: boolean | undefined
  /**
   * Answers may be kept although the request was authenticated or the handler looked at its session, user or
   * cookies. Only where everybody gets the same answer, or the key says whom it is for. Default false.
   */
  readonly shareAcrossUsers?: boolean | undefined
  /** Keeps a response that sets cookies, without its cookies. Default false: such a response is not kept. */
  readonly stripSetCookie?: boolean | undefined
  readonly clock?: Clock | undefined
}

/** The options, checked and complete. */
export interface ResponseSettings<R extends CachedRequest>
  extends Pick<CacheResponseOptions<R>, 'cache' | 'key' | 'skip'> {
  readonly tagsOf: (request: R) => readonly string[]
  readonly vary: readonly VaryRule<R>[]
  readonly obeyClients: boolean
  readonly rules: ResponseRules
}

const owner = 'cacheResponse'
const usualStatuses = [200, 203, 204, 300, 301, 308, 404, 410]
const known = [
  ...['cache', 'ttl', 'tags', 'key', 'vary', 'skip', 'statuses', 'maxBodySize', 'maxAge', 'sharedMaxAge'],
  ...['staleWhileRevalidate', 'staleIfError', 'surrogateKeys', 'obeyClients', 'shareAcrossUsers'],
  ...['stripSetCookie', 'clock'],
]

/** Throws `UnknownOptionError` or `InvalidOptionError`. */
export function readResponseOptions<R extends CachedRequest>(
  options: CacheResponseOptions<R>,
): ResponseSettings<R> {
  checkOptionNames(owner, options, known)
  const {
    cache,
    ttl,
    tags = [],
    key,
    vary = [],
    skip,
    statuses = usualStatuses,
    clock = systemClock,
  } = options
  const { maxBodySize = '1mb', maxAge = 0, sharedMaxAge, staleWhileRevalidate, staleIfError = 0 } = options
  const {
    surrogateKeys = false,
    obeyClients = false,
    shareAcrossUsers = false,
    stripSetCookie = false,
  } = options
  if (typeof cache?.getOrSet !== 'function') refuse('cache', cache, 'what createCache() made')
  for (const [name, given] of Object.entries({ key, skip })) {
    if (given !== undefined && typeof given !== 'function') refuse(name, given, 'a function')
  }
  if (typeof tags !== 'function') checkFixedTags(tags)
  if (typeof ttl !== 'function' && !(parseDuration(owner, 'ttl', ttl) >= 1))
    refuse('ttl', ttl, 'one millisecond or more')
  const rules = readVary<R>(vary)
  return {
    ...{ cache, key, skip, obeyClients, vary: rules },
    tagsOf: typeof tags === 'function' ? tags : () => tags,
    rules: {
      ...{ clock, surrogateKeys, shareAcrossUsers, stripSetCookie },
      ttlOf: typeof ttl === 'function' ? ttl : () => ttl,
      // Many credentials may normalise to one value, which then says no more who asks.
      credentials: rules
        .filter(({ header, normalise }) => personalHeaders.has(header) && !normalise)
        .map(({ header }) => header),
      varied: rules.map(({ header }) => header),
      keyed: new Set([...keyedHeaders, ...rules.map(({ header }) => header)]),
      statuses: readStatuses(statuses),
      maxBodyBytes: parseSize(owner, 'maxBodySize', maxBodySize),
      maxAgeMs: parseDuration(owner, 'maxAge', maxAge),
      sharedMaxAgeMs: parseOptional('sharedMaxAge', sharedMaxAge),
      staleWhileRevalidateMs: parseOptional('staleWhileRevalidate', staleWhileRevalidate),
      staleIfErrorMs: parseDuration(owner, 'staleIfError', staleIfError),
    },
  }
}

function checkFixedTags(tags: readonly string[]): void {
  try {
    checkTags(owner, tags)
  } catch {
    refuse('tags', tags, 'a list of texts of 1 to 1024 bytes, or a function')
  }
}

function readVary<R extends CachedRequest>(
  vary: NonNullable<CacheResponseOptions<R>['vary']>,
): VaryRule<R>[] {
  if (typeof vary !== 'object' || vary === null) refuse('vary', vary, 'names of request headers')
  const rules = Array.isArray(vary)
    ? vary.map((header: unknown) => ({ header, normalise: undefined }))
    : Object.entries(vary).map(([header, normalise]) => ({ header, normalise }))
  return rules.map(({ header, normalise }) => {
    // The characters of a header's name; `*` would say that no two requests are alike.
    if (typeof header !== 'string' || !/^[\w.-]+$/.test(header))
      refuse('vary', header, 'names of request headers')
    if (normalise !== undefined && typeof normalise !== 'function')
      refuse('vary', normalise, 'functions, by header')
    return { header: String(header).toLowerCase(), normalise }
  })
}

function readStatuses(statuses: readonly number[]): ReadonlySet<number> {
  if (!Array.isArray(statuses)) refuse('statuses', statuses, 'a list of numbers')
  for (const status of statuses) {
    const isFinal = Number.isInteger(status) && status >= 200 && status <= 599
    // Both are answers to this very request, about a copy that one client has.
    if (!isFinal || status === 206 || status === 304)
      refuse('statuses', status, 'from 200 to 599, without 206 and 304')
  }
  return new Set(statuses)
}

function parseOptional(option: string, value: Duration | undefined): number | undefined {
  return value === undefined ? undefined : parseDuration(owner, option, value)
}

function refuse(option: string, value: unknown, expected: string): never {
  throw new InvalidOptionError(owner, option, value, expected)
}
