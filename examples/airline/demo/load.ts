import { seededRandom } from '@stepladder/core/testing'
import type { Random } from './random.ts'
import { Sender } from './sender.ts'
import type { Traffic } from './traffic.ts'
import { isGood } from './visit.ts'

export interface LoadOptions {
  /** Where the airline is, `http://127.0.0.1:4123`. */
  readonly origin: string
  readonly traffic: Traffic
  /** Visits per second, whether the airline keeps up with them or not. */
  readonly rate: number
  /** Visits that may be under way at a time: who comes then is turned away, and counted as an error. */
  readonly underWay: number
  /** Not counted: caches fill, code is compiled. */
  readonly warmMs: number
  readonly measuredMs: number
  /** Ends the load early; what was not sent is not counted. */
  readonly signal?: AbortSignal | undefined
  /** Hears, now and then, how far it is: from 0 to 1. */
  readonly onProgress?: ((share: number) => void) | undefined
  /** Called once, when warming ends and counting begins. */
  readonly onMeasuring?: (() => void) | undefined
}

/** One visit that was offered while counting; times in milliseconds since counting began. */
export interface Sample {
  /** When it was meant to be sent. */
  readonly at: number
  /** From when it was meant to be sent to its answer, so that a queue in front of the airline counts. */
  readonly latencyMs: number
  /** Whether a good answer came in time. */
  readonly isAnswered: boolean
}

export interface Load {
  readonly samples: readonly Sample[]
  /** Visits that reached the airline, those of the warming included. */
  readonly sent: number
  /** How late this generator itself was, at the 99th percentile: high means that it was the limit. */
  readonly lagMs: number
  /** How much of one core this generator used. */
  readonly generatorCores: number
}

/** Under way at a time, at most, whatever the airline can do. */
export const mostUnderWay = 256
/** Nobody waits longer; counted as an error. */
export const patienceMs = 2_000

/**
 * Offers visits at one rate by a Poisson process, without waiting for answers ("open loop"): a slow
 * airline does not slow its visitors down, as in life.
 */
export async function offerLoad(options: LoadOptions): Promise<Load> {
  const generator = new Generator(options)
  try {
    return await generator.run()
  } finally {
    await generator.close()
  }
}

class Generator {
  readonly #options: LoadOptions
  readonly #sender: Sender
  readonly #random: Random = seededRandom(42)
  readonly #samples: Sample[] = []
  readonly #lags: number[] = []
  readonly #pending = new Set<Promise<void>>()
  #countFrom = 0
  #sent = 0

  constructor(options: LoadOptions) {
    this.#options = options
    this.#sender = new Sender(options.origin, options.underWay)
  }

  async run(): Promise<Load> {
    const { warmMs, measuredMs, onMeasuring } = this.#options
    await this.#sender.connect()
    this.#countFrom = performance.now() + warmMs
    await this.#offerUntil(this.#countFrom)
    onMeasuring?.()
    const cpu = process.cpuUsage()
    await this.#offerUntil(this.#countFrom + measuredMs)
    const { user, system } = process.cpuUsage(cpu)
    await Promise.all(this.#pending)
    this.#lags.sort((a, b) => a - b)
    return {
      samples: this.#samples,
      sent: this.#sent,
      lagMs: this.#lags[Math.floor(this.#lags.length * 0.99)] ?? 0,
      generatorCores: (user + system) / 1_000 / measuredMs,
    }
  }

  close(): Promise<void> {
    return this.#sender.close()
  }

  async #offerUntil(end: number): Promise<void> {
    const { rate, signal, onProgress, warmMs, measuredMs } = this.#options
    let due = performance.now()
    while (due < end && !signal?.aborted) {
      for (const now = performance.now(); due <= now && due < end; ) {
        this.#offer(due)
        due += (-Math.log(1 - this.#random()) / rate) * 1_000
      }
      const from = this.#countFrom - warmMs
      onProgress?.(Math.min(1, (performance.now() - from) / (warmMs + measuredMs)))
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }

  #offer(due: number): void {
    const at = due - this.#countFrom
    if (at >= 0) this.#lags.push(performance.now() - due)
    if (this.#sender.underWay >= this.#options.underWay) {
      this.#count({ at, latencyMs: 0, isAnswered: false })
      return
    }
    this.#sent++
    const exchange = this.#sender.send(this.#options.traffic.next(), due + patienceMs).then((answer) => {
      this.#pending.delete(exchange)
      this.#count({ at, latencyMs: performance.now() - due, isAnswered: isGood(answer) })
    })
    this.#pending.add(exchange)
  }

  #count(sample: Sample): void {
    if (sample.at >= 0) this.#samples.push(sample)
  }
}
