/** A task that waits for its time. */
export interface Timer {
  /** Takes the task back; harmless when it has run. */
  cancel(): void
  /** From now on this timer alone does not keep the process alive. */
  unref(): Timer
}

/** Where time comes from, so that tests can move it. */
export interface Clock {
  /** Milliseconds since the epoch; comparable across machines, may jump. */
  now(): number
  /** Milliseconds from an arbitrary start, with fractions; never jumps. For measuring how long something took. */
  monotonic(): number
  /** Runs `task` once, `ms` from now. */
  after(ms: number, task: () => void): Timer
}

/** The longest wait that Node's timers know; a longer one would end at once. */
export const longestMs: number = 2 ** 31 - 1

/** The machine's own clock. Waits longer than 24 days end after 24 days. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, task) {
    const handle = setTimeout(task, Math.min(ms, longestMs))
    const timer: Timer = {
      cancel: () => clearTimeout(handle),
      unref: () => {
        handle.unref()
        return timer
      },
    }
    return timer
  },
}

/** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. */
export function sleep(ms: number, { clock = systemClock, signal }: SleepOptions = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const stop = () => {
      timer.cancel()
      reject(signal?.reason)
    }
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', stop)
      resolve()
    })
    signal?.addEventListener('abort', stop, { once: true })
  })
}

export interface SleepOptions {
  readonly clock?: Clock | undefined
  readonly signal?: AbortSignal | undefined
}
