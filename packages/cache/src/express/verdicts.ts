import type { Clock } from '@stepladder/core'
import type { CachedRequest } from './cached-request.ts'
import type { Loaded } from './capture.ts'
import { RestingKeys } from './resting-keys.ts'
import type { Refusal } from './verdict.ts'

/** What lies in the handler, so that its next answer is likely to be refused too, and its author should hear of it. */
const advice: Partial<Record<Refusal, string>> = {
  'set-cookie': 'it sets a cookie',
  'cache-control': 'its Cache-Control forbids it',
  vary: 'its Vary names a request header that is not in the key: name it in the option `vary`',
  personal: 'its handler looked at who is asking (`session`, `user`, cookies, or all headers)',
  endless: 'it is a stream without an end',
  size: 'its body is larger than `maxBodySize`',
}

/** What was refused on one route: which keys rest, and what its author was told, each reason once. */
export class Verdicts {
  readonly resting: RestingKeys
  readonly #told = new Set<Refusal>()

  constructor(clock: Clock) {
    this.resting = new RestingKeys(clock)
  }

  hear(loaded: Loaded, key: string, { originalUrl, url = '' }: CachedRequest): void {
    if (loaded.kind !== 'refused') return
    const reason = advice[loaded.refusal]
    // A bad status, or a handler that took too long, may be the work of this one request.
    if (reason === undefined) return
    this.resting.add(key)
    if (this.#told.has(loaded.refusal)) return
    this.#told.add(loaded.refusal)
    // Without the query, which may hold secrets.
    const [path] = (originalUrl ?? url).split('?', 1)
    const what = `cacheResponse: the answer to GET ${path} was not kept, since ${reason}`
    process.emitWarning(`${what}. Said once for each route and reason.`, { code: 'RESPONSE_NOT_KEPT' })
  }
}
