import type { ServerResponse } from 'node:http'
import { forOneCall } from '../audit/for-one-call.ts'
import type { CachedRequest } from './cached-request.ts'
import { Capture, type Loaded } from './capture.ts'
import { replay } from './replay.ts'
import type { ResponseSettings } from './response-options.ts'
import { readStored, type StoredResponse } from './stored-response.ts'
import type { Verdicts } from './verdicts.ts'

export type Next = (failure?: unknown) => void

/** Clients that go away while others wait for their answer; after so many, who still waits asks for itself. */
const mostTurns = 5

/**
 * One request on its way through the cache. Its answer comes from exactly one of three:
 *
 *     waiting ──a stored response──▶ replayed
 *        ├──its turn to load──▶ captured      the handler answers it, and others wait for that answer
 *        └──nothing that others may have──▶ handed on      the handler answers it alone
 */
export class Exchange<R extends CachedRequest> {
  readonly #settings: ResponseSettings<R>
  readonly #verdicts: Verdicts
  readonly #key: string
  readonly #request: R
  readonly #response: ServerResponse
  readonly #next: Next
  #capture: Capture | undefined
  #isOver = false

  constructor(
    route: { readonly settings: ResponseSettings<R>; readonly verdicts: Verdicts },
    key: string,
    [request, response, next]: readonly [request: R, response: ServerResponse, next: Next],
  ) {
    this.#settings = route.settings
    this.#verdicts = route.verdicts
    this.#key = key
    this.#request = request
    this.#response = response
    this.#next = next
  }

  /** `isReload`: what is stored is dropped before, so that the answer is a new one. */
  async answer(use: 'look' | 'load', isReload: boolean): Promise<void> {
    if (use === 'look') return this.#look()
    if (isReload) await this.#forget()
    return this.#load()
  }

  /** From the cache if the response is there, else by the handler, for this request alone. */
  async #look(): Promise<void> {
    const stored = readStored(await this.#settings.cache.get(this.#key).catch(() => undefined))
    if (this.#isServable(stored)) this.#replay(stored)
    else this.#handOn()
  }

  /** From the cache, or by the handler, whose response is kept if others may have it. */
  async #load(): Promise<void> {
    for (let turn = 1; turn <= mostTurns && !this.#isGone; turn++) {
      const loaded = await this.#ask()
      const stored = readStored(loaded)
      if (this.#capture) return this.#capture.conclude(this.#isServable(stored) ? stored : undefined)
      if (this.#isServable(stored)) return this.#replay(stored)
      // Nothing of ours: it must not keep the place of an answer until its time is over.
      if (!stored && loaded !== undefined && !isWord(loaded)) await this.#forget()
      // Its client is gone, and with it the handler's answer: one of those who waited is next.
      else if (loaded?.kind !== 'aborted') break
    }
    this.#handOn()
  }

  /** What the cache has or this request's handler brings; undefined where the cache rejects, which it reports itself. */
  async #ask(): Promise<Loaded | undefined> {
    const { cache, tagsOf, rules } = this.#settings
    let tags: readonly string[]
    try {
      tags = tagsOf(this.#request)
    } catch (failure) {
      this.#isOver = true
      this.#next(failure)
      return undefined
    }
    const options = {
      tags,
      grace: rules.staleIfErrorMs,
      // A handler needs a client to answer to.
      refreshAhead: false as const,
      earlyRefresh: false as const,
      ttl: (loaded: Loaded) => (loaded.kind === 'stored' ? loaded.ttlMs : 0),
    }
    const load = forOneCall(() => this.#capturing(tags))
    return cache.getOrSet<Loaded>(this.#key, load, options).catch(() => undefined)
  }

  /** The cache may ask late, or to refresh what it has served: then this request has its answer already. */
  #capturing(tags: readonly string[]): Promise<Loaded> | Loaded {
    if (this.#isOver || this.#isGone || this.#capture) return { kind: 'aborted' }
    this.#capture = new Capture(this.#request, this.#response, this.#settings.rules, tags)
    const { outcome } = this.#capture
    outcome.then(
      (loaded) => this.#verdicts.hear(loaded, this.#key, this.#request),
      () => {},
    )
    try {
      this.#next()
    } catch (failure) {
      this.#next(failure)
    }
    return outcome
  }

  /** A failure is the cache's own, and reported by it. */
  async #forget(): Promise<void> {
    await this.#settings.cache.delete(this.#key).catch(() => {})
  }

  #isServable(stored: StoredResponse | undefined): stored is StoredResponse {
    if (!stored) return false
    return !stored.mustRevalidate || this.#settings.rules.clock.now() <= stored.createdAt + stored.ttlMs
  }

  #replay(stored: StoredResponse): void {
    this.#isOver = true
    if (!this.#isGone) replay(stored, this.#request, this.#response, this.#settings.rules.clock.now())
  }

  #handOn(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (!this.#isGone) this.#next()
  }

  /** The client is, or somebody else, such as a timeout, has answered it. */
  get #isGone(): boolean {
    return this.#response.destroyed || this.#response.headersSent
  }
}

/** What one process says to those who wait in it; it is never stored. */
function isWord(loaded: unknown): loaded is Loaded {
  if (typeof loaded !== 'object' || loaded === null || !('kind' in loaded)) return false
  return loaded.kind === 'refused' || loaded.kind === 'aborted'
}
