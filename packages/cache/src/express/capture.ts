import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Timer } from '@stepladder/core'
import { ResponseFailedError } from '../errors.ts'
import { readCacheControl } from './cache-control.ts'
import type { CachedRequest } from './cached-request.ts'
import { resetHeaders } from './header-changes.ts'
import { HiddenConditions } from './hidden-conditions.ts'
import { PersonalReads } from './personal-reads.ts'
import { isNotModified } from './preconditions.ts'
import { isSuccess, replay, toNotModified } from './replay.ts'
import { completeHead, type ResponseHead } from './response-head.ts'
import type { ResponseRules } from './response-rules.ts'
import { ResponseTap, type TapListener } from './response-tap.ts'
import { makeStored, type StoredResponse } from './stored-response.ts'
import { forbidsKeeping, type Refusal, refusalOf, text } from './verdict.ts'

/** What became of a handler's response, for those who wait for it: only `stored` holds anything of it. */
export type Loaded =
  | StoredResponse
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** The client went away before the response was complete. */
  | { readonly kind: 'aborted' }

/** As long as a loader keeps its lease: who waits longer asks the handler itself. */
const patienceMs = 30_000

/**
 * Listens to one handler's response on its way to the client that asked, and keeps a copy while it may:
 *
 *     listening ──headers──▶ keeping ──end──▶ stored
 *         │                     └──too large, too slow, a cookie, a look at the session──▶ refused
 *         ├──headers that forbid it──▶ refused      the client gets it all the same, as it comes
 *         ├──5xx, where an older response may stand in──▶ held back ──end──▶ failed
 *         └──client gone──▶ aborted
 */
export class Capture implements TapListener {
  /** Rejects with `ResponseFailedError` where an older response may stand in, and with what the app's `ttl` throws. */
  readonly outcome: Promise<Loaded>
  readonly #request: CachedRequest
  readonly #response: ServerResponse
  readonly #rules: ResponseRules
  readonly #tags: readonly string[]
  readonly #before: OutgoingHttpHeaders
  readonly #hidden: HiddenConditions
  readonly #reads: PersonalReads
  readonly #tap: ResponseTap
  readonly #timer: Timer
  #resolve!: (loaded: Loaded) => void
  #reject!: (failure: unknown) => void
  #isSettled = false
  #head: ResponseHead | undefined
  #chunks: Buffer[] = []
  #bytes = 0
  #canStandIn: boolean
  #isEnded = false

  constructor(
    request: CachedRequest,
    response: ServerResponse,
    rules: ResponseRules,
    tags: readonly string[],
  ) {
    this.#request = request
    this.#response = response
    this.#rules = rules
    this.#tags = tags
    this.#before = { ...response.getHeaders() }
    this.#canStandIn = rules.staleIfErrorMs > 0
    this.#hidden = new HiddenConditions(request.headers)
    this.#reads = new PersonalReads(request, rules)
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#tap = new ResponseTap(response, this)
    this.#timer = rules.clock.after(patienceMs, () => this.#refuse('slow')).unref()
    response.once('close', () => this.#close())
  }

  /** Says what the cache made of the outcome: a response that stands in for a failed one, or nothing. */
  conclude(standIn: StoredResponse | undefined): void {
    this.#canStandIn = false
    if (this.#tap.passing === 'nothing') this.#release(standIn)
  }

  onHead(whole: Buffer | undefined): void {
    const { statusCode } = this.#response
    if (this.#canStandIn && statusCode >= 500 && !this.#rules.statuses.has(statusCode)) {
      this.#tap.passing = 'nothing'
      return
    }
    const headers = this.#response.getHeaders()
    const refusal = refusalOf({ status: statusCode, headers, before: this.#before }, this.#rules)
    if (refusal) this.#refuse(refusal)
    else if (this.#reads.seen !== undefined) this.#refuse('personal')
    if (!this.#isSettled) {
      const about = { rules: this.#rules, tags: this.#tags, whole }
      this.#head = completeHead(this.#response, this.#before, about)
    }
    this.#answerConditions()
  }

  onChunk(chunk: Buffer): void {
    if (this.#isSettled && this.#tap.passing !== 'nothing') return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes <= this.#rules.maxBodyBytes) return
    this.#refuse('size')
    if (this.#tap.passing === 'nothing') this.#release(undefined)
  }

  onEnd(): void {
    this.#isEnded = true
    if (this.#reads.seen !== undefined) this.#refuse('personal')
    this.#letGo()
    if (this.#tap.passing === 'nothing')
      this.#settle(() => this.#reject(new ResponseFailedError(this.#response.statusCode)))
  }

  onSent(): void {
    if (this.#isSettled || !this.#head) return
    const headers = this.#response.getHeaders()
    // Set only while the headers went out, by middleware before this one.
    if (headers['set-cookie'] !== undefined && !this.#rules.stripSetCookie) this.#refuse('set-cookie')
    const { cacheControl } = this.#head
    const said = text(headers['cache-control'])
    if (said !== cacheControl && forbidsKeeping(readCacheControl(said))) this.#refuse('cache-control')
    if (!this.#isSettled) this.#store(this.#head)
  }

  aside<T>(task: () => T): T {
    return this.#reads.aside(task)
  }

  /** The client's own conditions, which the handler did not see. */
  #answerConditions(): void {
    const etag = text(this.#response.getHeader('etag'))
    const lastModified = text(this.#response.getHeader('last-modified'))
    if (!isSuccess(this.#response.statusCode)) return
    if (!isNotModified(this.#hidden.conditions, { etag, lastModified, date: undefined })) return
    toNotModified(this.#response)
    this.#tap.passing = 'head'
  }

  #store(head: ResponseHead): void {
    const body = Buffer.concat(this.#chunks)
    if (head.contentLength !== undefined && head.contentLength !== body.length) this.#refuse('incomplete')
    this.#settle(() => {
      const stored = makeStored(head, body, this.#rules)
      this.#resolve(stored ?? { kind: 'refused', refusal: 'ttl' })
    })
  }

  #refuse(refusal: Refusal): void {
    this.#settle(() => this.#resolve({ kind: 'refused', refusal }))
  }

  #close(): void {
    this.#letGo()
    this.#settle(() => this.#resolve({ kind: 'aborted' }))
  }

  #settle(tell: () => void): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#timer.cancel()
    try {
      tell()
    } catch (failure) {
      this.#reject(failure)
    }
    if (this.#tap.passing !== 'nothing') this.#chunks = []
  }

  /** Ends the holding back: an older response in place of the failed one, or that one as far as it has come. */
  #release(standIn: StoredResponse | undefined): void {
    const chunks = this.#chunks.splice(0)
    this.#refuse('status')
    this.#tap.replaceWith(() => {
      if (this.#response.destroyed) return
      if (!this.#isEnded) {
        for (const chunk of chunks) this.#response.write(chunk)
      } else if (standIn) {
        resetHeaders(this.#before, this.#response)
        replay(standIn, this.#request, this.#response, this.#rules.clock.now())
      } else {
        this.#response.end(Buffer.concat(chunks))
      }
    })
  }

  #letGo(): void {
    this.#reads.stop()
    this.#hidden.restore()
  }
}
