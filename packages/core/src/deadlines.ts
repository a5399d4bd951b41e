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
  readonly #underWay = new Line()
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
      try {
        task(watched).then(
          (value) => {
            this.#underWay.remove(watched)
            resolve(value)
          },
          (failure) => {
            this.#underWay.remove(watched)
            reject(failure)
          },
        )
      } catch (failure) {
        this.#underWay.remove(watched)
        reject(failure)
      }
    })
  }

  #watchFor(ms: number): Timer {
    return this.#clock.after(ms, () => this.#look()).unref()
  }

  /** While this process stood still, nobody was asked and nobody was heard: that time is not theirs. */
  #look(): void {
    const { first } = this.#underWay
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
    for (let watched = this.#underWay.first; watched; watched = this.#underWay.first) {
      const leftMs = watched.endsAt - now
      if (leftMs > 0) {
        this.#timer = this.#watchFor(leftMs)
        return
      }
      this.#underWay.remove(watched)
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
  before: Watched | undefined
  after: Watched | undefined

  constructor(what: string, endsAt: number, reject: (failure: unknown) => void) {
    this.what = what
    this.endsAt = endsAt
    this.reject = reject
  }
}

/**
 * In the order of their beginning, which is that of their ends too. Not a `Set`: V8 copies one that is added to and deleted
 * from all the time again and again, and an old copy keeps what was in the later ones.
 */
class Line {
  first: Watched | undefined
  #last: Watched | undefined

  add(watched: Watched): void {
    watched.before = this.#last
    if (this.#last) this.#last.after = watched
    else this.first = watched
    this.#last = watched
  }

  /** Nothing, for one that was removed. */
  remove(watched: Watched): void {
    const { before, after } = watched
    if (before) before.after = after
    else if (this.first === watched) this.first = after
    else return
    if (after) after.before = before
    else this.#last = before
    watched.before = undefined
    watched.after = undefined
  }
}
