import { type Clock, systemClock } from '../clock.ts'
import { DeadlineExceededError, withDeadline } from '../deadline.ts'
import { reasonOf } from '../reason-of.ts'

/**
 * Asks whether something that requests need is there: `() => pool.query('select 1')`. It is not when this
 * throws, rejects, answers `false`, or takes longer than 2 seconds, when the signal is aborted.
 */
export type ReadyCheck = (signal: AbortSignal) => unknown

export type CheckResult =
  | { readonly status: 'ok'; readonly ms: number }
  | {
      readonly status: 'failing'
      readonly ms: number
      /** A word without secrets, which strangers may see: `ECONNREFUSED`. */
      readonly code: string
      /** For the log: the error's message. */
      readonly reason: string
    }

/** A check that has not answered by then fails, in milliseconds. */
const boundMs = 2_000
/** From one call to the next at least, however many ask, in milliseconds. */
const restMs = 1_000
/** A call that never ended does not keep the check from being asked again for longer than this, in milliseconds. */
const abandonMs = 10_000

/** One thing that a process needs to be ready: asked seldom, never for long, and not twice at a time. */
export class ReadinessCheck {
  readonly name: string
  readonly #check: ReadyCheck
  readonly #clock: Clock
  #askedAt = Number.NEGATIVE_INFINITY
  #underWay: symbol | undefined
  #answer: Promise<CheckResult> | undefined

  constructor(name: string, check: ReadyCheck, clock: Clock = systemClock) {
    this.name = name
    this.#check = check
    this.#clock = clock
  }

  /** The last answer if it is young, else a new one; never rejects. */
  look(): Promise<CheckResult> {
    const sinceMs = this.#clock.monotonic() - this.#askedAt
    if (!this.#answer || sinceMs >= (this.#underWay ? abandonMs : restMs)) this.#answer = this.#ask()
    return this.#answer
  }

  async #ask(): Promise<CheckResult> {
    const askedAt = this.#clock.monotonic()
    this.#askedAt = askedAt
    const lasted = () => this.#clock.monotonic() - askedAt
    try {
      const answer = await withDeadline('it', boundMs, (signal) => this.#call(signal), this.#clock)
      if (answer !== false) return { status: 'ok', ms: lasted() }
      return { status: 'failing', ms: lasted(), code: 'ANSWERED_FALSE', reason: 'it answered false' }
    } catch (failure) {
      return { status: 'failing', ms: lasted(), code: codeOf(failure), reason: reasonOf(failure) }
    }
  }

  /** What hangs is not asked again at once: each call may hold a connection. */
  async #call(signal: AbortSignal): Promise<unknown> {
    const call = Symbol('call')
    this.#underWay = call
    try {
      return await this.#check(signal)
    } finally {
      if (this.#underWay === call) this.#underWay = undefined
    }
  }
}

function codeOf(failure: unknown): string {
  if (failure instanceof DeadlineExceededError) return 'TIMEOUT'
  if (!(failure instanceof Error)) return 'FAILED'
  const code = 'code' in failure ? String(failure.code) : failure.name
  return /^\w{1,40}$/.test(code) ? code : 'FAILED'
}
