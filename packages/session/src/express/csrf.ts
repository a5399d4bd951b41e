import type { IncomingMessage } from 'node:http'
import { checkOptionNames, InvalidOptionError } from '@stepladder/core'
import { checkCsrf } from '../csrf/check-csrf.ts'
import { isForeign } from '../csrf/is-foreign.ts'
import { CsrfError } from '../errors.ts'

/** A request as Express has it, after `sessions()` and perhaps a body parser. */
export interface CsrfRequest extends Pick<IncomingMessage, 'method' | 'headers'> {
  readonly hostname?: string | undefined
  readonly session?: object | null | undefined
  readonly body?: unknown
}

export interface CsrfOptions {
  /** The header that brings the token. Default `x-csrf-token`, or `x-xsrf-token` as axios and Angular call it. */
  readonly header?: string | undefined
  /** The field that brings it in the body, where a body parser ran before. Default `'_csrf'`. */
  readonly field?: string | undefined
  /** Other sites whose pages may send requests, with a token: `['https://app.example.com']`. Default: none. */
  readonly origins?: readonly string[] | undefined
  /** Requests that need no token: those of another server, say, which bring a signature of their own and no cookie. */
  readonly ignore?: ((request: CsrfRequest) => boolean) | undefined
}

export type CsrfHandler = (request: CsrfRequest, response: object, next: (failure?: unknown) => void) => void

const owner = 'csrf'
const safe: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * Middleware that lets a request change something only if it comes from a page of this app: `app.use(csrf())`, after
 * `sessions()` and the body parser. It must bring what `request.session.csrfToken()` returned, and browsers must not say
 * that another site has sent it. `next` is called with `CsrfError`, status 403, otherwise.
 * Throws `InvalidOptionError` or `UnknownOptionError`.
 */
export function csrf(options: CsrfOptions = {}): CsrfHandler {
  checkOptionNames(owner, options, ['header', 'field', 'origins', 'ignore'])
  const { header, field = '_csrf', origins = [], ignore = () => false } = options
  const headers = header === undefined ? ['x-csrf-token', 'x-xsrf-token'] : [header.toLowerCase()]
  const allowed = new Set(origins.map(readOrigin))
  return (request, _response, next) => {
    try {
      if (!safe.has(request.method) && !ignore(request)) check(request)
    } catch (failure) {
      next(failure)
      return
    }
    next()
  }

  function check(request: CsrfRequest): void {
    if (isForeign(request, allowed)) throw new CsrfError('foreign')
    const name = headers.find((each) => request.headers[each] !== undefined)
    const token = name === undefined ? fieldOf(request.body, field) : request.headers[name]
    checkCsrf(request.session ?? noSession, token)
  }
}

const noSession = {}

function fieldOf(body: unknown, field: string): unknown {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, field)) return undefined
  // `hasOwn` has seen that it is there.
  return (body as Record<string, unknown>)[field]
}

function readOrigin(origin: string): string {
  const read = URL.parse(origin)?.origin
  if (read === undefined || read !== origin) {
    throw new InvalidOptionError(
      owner,
      'origins',
      origin,
      "a list of origins such as 'https://app.example.com'",
    )
  }
  return read
}
