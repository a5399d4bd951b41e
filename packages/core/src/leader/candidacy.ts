import { once } from 'node:events'
import { exponentialBackoff } from '../backoff.ts'
import { begin, type Reporter } from '../report.ts'
import { retry } from '../retry.ts'
import type { Leadership, LeaderTask } from './leadership.ts'
import { enrol } from './leaderships.ts'
import type { Term } from './machine-seat.ts'

export interface CandidacyOptions {
  readonly name: string
  readonly task: LeaderTask
  /** Waits until this process may lead; rejects with the signal's reason. */
  readonly take: (signal: AbortSignal) => Promise<Term>
  readonly report: Reporter
}

/** What failed is tried again, soon at first. */
const backoff = exponentialBackoff({ baseMs: 2_000, maxMs: 30_000 })

/**
 *   standing --appointed--> leading --the term is lost--> stopping --the task has stopped--> standing
 *   standing --close()--> resigned
 *   leading, stopping --close()--> stopping --the task has stopped--> resigned
 */
export class Candidacy implements Leadership {
  readonly #options: CandidacyOptions
  readonly #closing = new AbortController()
  readonly #ended: Promise<void>
  readonly #strikeOff: () => void
  #term: Term | undefined

  constructor(options: CandidacyOptions) {
    this.#options = options
    this.#strikeOff = enrol(options.name, this)
    this.#ended = this.#stand()
  }

  get isLeader(): boolean {
    return this.#term?.isHeld === true && !this.#closing.signal.aborted
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#ended
    this.#strikeOff()
  }

  async #stand(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      const term = await this.#take(signal)
      if (!term) return
      this.#term = term
      await this.#lead(term)
      await term.resign()
    }
  }

  /** Undefined when this process stands no longer. */
  async #take(signal: AbortSignal): Promise<Term | undefined> {
    const { name, take, report } = this.#options
    const attempt = async () => {
      const end = begin({ component: 'cluster', name, operation: 'stand' }, report)
      try {
        const term = await take(signal)
        end('appointed')
        return term
      } catch (failure) {
        if (signal.aborted) end('withdrawn')
        else end('failed', failure)
        throw failure
      }
    }
    // Only the signal ends this with a failure.
    return retry(attempt, { attempts: Number.POSITIVE_INFINITY, backoff, signal }).catch(() => undefined)
  }

  async #lead({ token, lost }: Term): Promise<void> {
    const over = AbortSignal.any([this.#closing.signal, lost])
    await retry(() => this.#run(token, over), {
      attempts: Number.POSITIVE_INFINITY,
      backoff,
      signal: over,
    }).catch(() => {})
  }

  /** Resolves when the task has stopped because it was told to; rejects when it failed before. */
  async #run(token: number, over: AbortSignal): Promise<void> {
    const { name, task, report } = this.#options
    const end = begin({ component: 'cluster', name, operation: 'lead' }, report)
    const failing = new AbortController()
    try {
      const started: unknown = await task({ token, signal: AbortSignal.any([over, failing.signal]) })
      if (!over.aborted) await once(over, 'abort')
      await stop(started)
      end(this.#closing.signal.aborted ? 'resigned' : 'lost')
    } catch (failure) {
      // To reject with the signal's reason is the usual way to say that one has stopped.
      if (over.aborted && isAbort(failure)) return end(this.#closing.signal.aborted ? 'resigned' : 'lost')
      end('failed', failure)
      failing.abort(failure)
      if (!over.aborted) throw failure
    }
  }
}

async function stop(started: unknown): Promise<void> {
  if (typeof started === 'function') await started()
  else if (isCloseable(started)) await started.close()
}

function isCloseable(value: unknown): value is { close(): unknown } {
  return typeof value === 'object' && value !== null && 'close' in value && typeof value.close === 'function'
}

function isAbort(failure: unknown): boolean {
  return failure instanceof Error && failure.name === 'AbortError'
}
