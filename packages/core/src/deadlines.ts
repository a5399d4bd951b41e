import { type Clock, systemClock, type Timer } from './clock.ts'
import { DeadlineExceededError } from './deadline.ts'

/** What a task may look at before it begins something else: true once nobody waits for it any more. */
export interface Waited {
  readonly isAbandoned: boolean
}

/** A timer that comes so much later has waited for this process, and so have commands and answers. */
const lateMs = 5

/**
 * `withDeadline` for many short operations of one kind, all with the same time: one timer watches over all of them,
 * where a timer and an `AbortController` for each would cost more than a call to Redis does.
 */
export class Deadlines {
  readonly #ms: number
  readonly #clock: Clock
  /** In the order of their beginning, which is that of their ends too. */
  readonly #underWay = new Set<Watched>()
  #timer: Timer | undefined

  /** `ms`: how long an operation may take. */
  constructor(ms: number, clock: Clock = systemClock) {
    this.#ms = ms
    this.#clock = clock
  }

  /** Runs `task`, and stops waiting for it when its time is over: rejects with `DeadlineExceededError`. */
  run<T>(what: string, task: (waited: Waited) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const watched = new Watched(what, this.#clock.monotonic() + this.#ms, reject)
      this.#underWay.add(watched)
      this.#timer ??= this.#watchFor(this.#ms)
      const end = () => this.#underWay.delete(watched)
      try {
        task(watched).then(
          (value) => {
            end()
            resolve(value)
          },
          (failure) => {
            end()
            reject(failure)
          },
        )
      } catch (failure) {
        end()
        reject(failure)
      }
    })
  }

  #watchFor(ms: number): Timer {
    return this.#clock.after(ms, () => this.#look()).unref()
  }

  /** While this process stood still, nobody was asked and nobody was heard: that time is not theirs. */
  #look(): void {
    const [first] = this.#underWay
    const stoodStillMs = first === undefined ? 0 : this.#clock.monotonic() - first.endsAt
    if (stoodStillMs > lateMs) {
      this.#timer = this.#clock.after(Math.min(stoodStillMs, this.#ms), () => this.#endOverdue()).unref()
    } else {
      this.#endOverdue()
    }
  }

  #endOverdue(): void {
    this.#timer = undefined
    const now = this.#clock.monotonic()
    for (const watched of this.#underWay) {
      const leftMs = watched.endsAt - now
      if (leftMs > 0) {
        this.#timer = this.#watchFor(leftMs)
        return
      }
      this.#underWay.delete(watched)
      watched.isAbandoned = true
      watched.reject(new DeadlineExceededError(watched.what, this.#ms))
    }
  }
}

class Watched implements Waited {
  readonly what: string
  readonly endsAt: number
  readonly reject: (failure: unknown) => void
  isAbandoned = false

  constructor(what: string, endsAt: number, reject: (failure: unknown) => void) {
    this.what = what
    this.endsAt = endsAt
    this.reject = reject
  }
}
