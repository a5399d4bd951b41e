import type { ServerResponse } from 'node:http'
import { readCacheControl } from './cache-control.ts'
import { type CachedRequest, type CacheUse, useOf } from './cached-request.ts'
import { Exchange, type Next } from './exchange.ts'
import { responseKey } from './response-key.ts'
import { type CacheResponseOptions, type ResponseSettings, readResponseOptions } from './response-options.ts'
import { Verdicts } from './verdicts.ts'
import { isAuthenticated } from './who-asks.ts'

/** Express middleware. */
export type CacheResponseHandler<R extends CachedRequest = CachedRequest> = (
  request: R,
  response: ServerResponse,
  next: Next,
) => void

/**
 * Keeps what the handlers after it answer to GET, and answers GET and HEAD from it:
 * `app.get('/flights/:id', cacheResponse({ cache, ttl: '30s' }), handler)`. One handler runs per key at a time; its
 * answer goes to its client as it is written, and to those who wait when it is complete. What could be meant for one
 * client is not kept: see the options for each rule that can be lifted. Never fails a request: where the cache
 * cannot answer, the handler does. Throws `UnknownOptionError` or `InvalidOptionError`; what the app's own `key`,
 * `tags`, `vary` and `skip` throw goes to `next`.
 */
export function cacheResponse<R extends CachedRequest = CachedRequest>(
  options: CacheResponseOptions<R>,
): CacheResponseHandler<R> {
  const settings = readResponseOptions(options)
  const route = { settings, verdicts: new Verdicts(settings.rules.clock) }
  return (request, response, next) => {
    let plan: Plan
    try {
      plan = planFor(request, settings)
    } catch (failure) {
      next(failure)
      return
    }
    const { use, key } = plan
    if (use === 'none' || (use === 'load' && route.verdicts.resting.has(key))) {
      next()
      return
    }
    const exchange = new Exchange(route, key, [request, response, next])
    // What it rejects with comes from sending an answer: nobody else would hear of it.
    exchange.answer(use, plan.isReload).catch(next)
  }
}

interface Plan {
  readonly use: CacheUse
  readonly key: string
  readonly isReload: boolean
}

const notUsed: Plan = { use: 'none', key: '', isReload: false }

function planFor<R extends CachedRequest>(request: R, settings: ResponseSettings<R>): Plan {
  const { key, vary, skip, obeyClients, rules } = settings
  // Nor may it look at who asks: for the one that is in use already, that would be the handler's look.
  if (isInUse(request)) return notUsed
  const use = useOf(request)
  if (use === 'none' || isAuthenticated(request, rules) || skip?.(request)) return notUsed
  putInUse(request)
  const said = obeyClients ? readCacheControl(request.headers['cache-control']) : undefined
  if (said?.has('no-store')) return notUsed
  const isReload = said?.has('no-cache') || said?.get('max-age') === '0'
  return { use, key: responseKey(request, key, vary), isReload: isReload === true && use === 'load' }
}

const mark = Symbol.for('stepladder.cached-response')

/** A request that waited for itself would wait for ever. */
function isInUse(request: CachedRequest & { [mark]?: true }): boolean {
  return request[mark] === true
}

function putInUse(request: CachedRequest & { [mark]?: true }): void {
  request[mark] = true
}
