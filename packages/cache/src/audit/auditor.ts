import { isDeepStrictEqual } from 'node:util'
import { begin, type Clock, type Reporter } from '@stepladder/core'
import type { Entry } from '../memory/entry.ts'
import { type AnyLoad, LoadRun } from '../read/loader.ts'
import { isForOneCall } from './for-one-call.ts'

/** The fence, and some time for a slow machine: what is older than this and served is a breach of the contract. */
const graceMs = 1_500

export interface AuditorOptions {
  readonly name: string
  /** The share of hits that are looked at, from 0 to 1. */
  readonly rate: number
  /** What this process would serve under a key now; undefined for nothing. */
  readonly served: (key: string) => Entry | undefined
  readonly report: Reporter
  readonly clock: Clock
}

/**
 * Compares what is served with its source, now and then. Where they differ it waits until the contract says that
 * nothing older may be served any more, and looks again:
 *
 *     differs ──▶ same copy still served, source still differs ──▶ `stale`
 *        └──▶ anything else ──▶ `changed`, as it should
 *
 * A value that the app changes without invalidating it is `stale` too: which of both it is, the app knows.
 * One look at a time, so that the source is not asked more than that.
 */
export class Auditor {
  readonly #options: AuditorOptions
  #isBusy = false

  constructor(options: AuditorOptions) {
    this.#options = options
  }

  /** Looks at this hit, if it is its turn. Never fails, and nobody waits for it. */
  sample(key: string, entry: Entry, load: AnyLoad): void {
    if (this.#isBusy || Math.random() >= this.#options.rate || isForOneCall(load)) return
    this.#isBusy = true
    const { name, report, clock } = this.#options
    const end = begin({ component: 'cache', name, operation: 'audit' }, report, clock)
    this.#look(key, entry, load)
      .then(end, (failure: unknown) => end('failed', failure))
      .finally(() => {
        this.#isBusy = false
      })
  }

  async #look(key: string, entry: Entry, load: AnyLoad): Promise<string> {
    if (isDeepStrictEqual(await askAnew(load), entry.value)) return 'same'
    await this.#wait(graceMs)
    if (this.#options.served(key) !== entry) return 'changed'
    return isDeepStrictEqual(await askAnew(load), entry.value) ? 'changed' : 'stale'
  }

  /** Without keeping a process alive that has nothing else to do. */
  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.after(ms, resolve).unref())
  }
}

/** Without the previous value, of which it could say that it still holds. */
async function askAnew(load: AnyLoad): Promise<unknown> {
  // The caller's loader; it is told of nothing.
  return load(new LoadRun(undefined) as never)
}
