import type { Readable } from 'node:stream'
import { type Backoff, exponentialBackoff } from '../backoff.ts'
import { type Clock, systemClock, type Timer } from '../clock.ts'
import type { Closeable } from '../closeable.ts'
import { youngMs } from '../cluster/restart-policy.ts'
import { Silence } from '../link/silence.ts'
import { describeHang, type LastWord } from './hang-word.ts'
import { readLastWords } from './last-words.ts'
import { isStopped } from './stopped-process.ts'

/** A worker as the watch needs it. */
export interface Suspect {
  readonly instance: number
  readonly pid: number | undefined
  readonly state: 'starting' | 'serving' | 'draining' | 'gone'
  readonly livedMs: number
  readonly lastWords: Readable | undefined
}

export interface HangWatchOptions<Worker> {
  /** How long an event loop may stand still, in milliseconds; undefined: for ever. */
  readonly hangMs: number | undefined
  /** The worker is to be replaced. `isHung` tells later whether it still hangs. */
  readonly onHang: (worker: Worker, isHung: () => boolean) => void
  readonly log: (line: string) => void
  readonly clock?: Clock
  /** Whether a process was stopped as a whole, as the system tells. */
  readonly isStopped?: (pid: number | undefined) => boolean
  /** How long to wait when a successor hangs soon after its start, as its forerunners did. */
  readonly backoff?: Backoff
}

interface Case {
  readonly silence: Silence
  isWatched: boolean
  wasHeard: boolean
  /** Its watchdog is awake, and will say more. */
  excusedUntil: number
  /** Since when it hangs, on the clock. */
  hangsSince?: number | undefined
  pending?: Timer | undefined
}

/** How often it is looked whose heartbeats do not come, in milliseconds. */
const lookEveryMs = 100
/**
 * So much longer one is waited for of whom nobody can tell why nothing is heard, in milliseconds: on a busy machine
 * its heartbeats are late, and its watchdog as well.
 */
const graceMs = 500
/** A watchdog that is awake says so again within this, in milliseconds. */
const answersWithinMs = 750

/**
 * Finds the workers that hang: their own watchdog says so, or, where a whole process stands still, their
 * heartbeats do not come.
 *
 *   well --word of its watchdog--> hangs --a heartbeat--> well
 *   well --no heartbeat for hangMs, and its process is stopped--> hangs
 *   well --no heartbeat for hangMs + 500, and no word--> hangs
 *
 * One that does not serve yet or no more is left alone, as is one at a breakpoint.
 */
export class HangWatch<Worker extends Suspect> implements Closeable {
  readonly #options: HangWatchOptions<Worker>
  readonly #clock: Clock
  readonly #backoff: Backoff
  readonly #isStopped: (pid: number | undefined) => boolean
  readonly #cases = new Map<Worker, Case>()
  /** By place: how many workers in a row hung soon after their start. */
  readonly #youngHangs = new Map<number, number>()
  #timer: Timer | undefined

  constructor(options: HangWatchOptions<Worker>) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#isStopped = options.isStopped ?? isStopped
    this.#backoff = options.backoff ?? exponentialBackoff({ baseMs: 1_000, maxMs: 60_000 })
    if (options.hangMs !== undefined) this.#lookLater()
  }

  join(worker: Worker): void {
    if (this.#options.hangMs === undefined) return
    const silence = new Silence(lookEveryMs, this.#clock)
    this.#cases.set(worker, { silence, isWatched: false, wasHeard: false, excusedUntil: 0 })
    readLastWords(worker.lastWords, (word) => this.#listen(worker, word))
  }

  leave(worker: Worker): void {
    this.#cases.get(worker)?.pending?.cancel()
    this.#cases.delete(worker)
  }

  /** A heartbeat: its event loop turns. */
  hear(worker: Worker, isWatched: boolean): void {
    const known = this.#cases.get(worker)
    if (!known) return
    known.isWatched = isWatched
    known.wasHeard = true
    if (known.hangsSince === undefined) return
    const hungMs = this.#clock.monotonic() - known.hangsSince
    this.#options.log(`worker ${worker.pid} runs again, after ${(hungMs / 1_000).toFixed(1)} s`)
    known.hangsSince = undefined
    known.pending?.cancel()
  }

  async close(): Promise<void> {
    this.#timer?.cancel()
    for (const worker of [...this.#cases.keys()]) this.leave(worker)
  }

  #lookLater(): void {
    this.#timer = this.#clock.after(lookEveryMs, () => this.#look()).unref()
  }

  #look(): void {
    const { hangMs } = this.#options
    for (const [worker, known] of this.#cases) {
      const silentMs = known.silence.look(known.wasHeard || !known.isWatched)
      known.wasHeard = false
      if (hangMs === undefined || silentMs < hangMs || known.hangsSince !== undefined) continue
      const story = this.#storyOf(worker, known, silentMs >= hangMs + graceMs)
      if (story)
        this.#suspect(worker, silentMs, `not heard of for ${(silentMs / 1_000).toFixed(1)} s, ${story}`)
    }
    this.#lookLater()
  }

  #storyOf({ pid }: Worker, { excusedUntil }: Case, isLong: boolean): string | undefined {
    if (this.#isStopped(pid)) return 'its process is stopped'
    return isLong && this.#clock.monotonic() >= excusedUntil ? 'as if its process were stopped' : undefined
  }

  #listen(worker: Worker, word: LastWord): void {
    const known = this.#cases.get(worker)
    if (!known) return
    if ('isUneasy' in word) known.excusedUntil = this.#clock.monotonic() + answersWithinMs
    else if (known.hangsSince === undefined) this.#suspect(worker, word.busyMs, describeHang(word))
    // Its silence was noticed first: on a busy machine the watchdog is late as well.
    else this.#options.log(`worker ${worker.pid} hangs: ${describeHang(word)}`)
  }

  #suspect(worker: Worker, busyMs: number, story: string): void {
    const known = this.#cases.get(worker)
    // One that drains has its deadline.
    if (!known || known.hangsSince !== undefined || worker.state !== 'serving') return
    known.hangsSince = this.#clock.monotonic() - busyMs
    const waitMs = this.#waitFor(worker)
    const when = waitMs === 0 ? 'now' : `in ${(waitMs / 1_000).toFixed(1)} s`
    this.#options.log(`worker ${worker.pid} hangs: ${story}; replacing it ${when}`)
    const isHung = () => known.hangsSince !== undefined
    const replace = () => this.#options.onHang(worker, isHung)
    if (waitMs === 0) replace()
    else known.pending = this.#clock.after(waitMs, replace)
  }

  /** A hang soon after the start, again and again, is what each successor does as well. */
  #waitFor({ instance, livedMs }: Worker): number {
    const isYoung = livedMs < youngMs + (this.#options.hangMs ?? 0)
    const hangs = isYoung ? (this.#youngHangs.get(instance) ?? 0) + 1 : 0
    this.#youngHangs.set(instance, hangs)
    return hangs <= 1 ? 0 : this.#backoff(hangs - 1)
  }
}
