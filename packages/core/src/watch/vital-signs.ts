import { type Clock, systemClock } from '../clock.ts'
import type { MetricSnapshot } from '../link/messages.ts'
import type { LoopDelay, ProcessVitals } from '../link/vitals.ts'
import { MetricsLedger } from '../metrics/metrics-ledger.ts'
import { vitalsMetrics } from './vitals-metrics.ts'

/** A worker as its vital signs need it. */
export interface Patient {
  readonly instance: number
}

interface Chart {
  heardAt: number
  /** Of the last heartbeats, the youngest last. */
  delays: LoopDelay[]
  readonly waiting: Set<() => void>
}

/** A worker that was not heard of for longer than this is stale, in milliseconds: two heartbeats. */
const staleAfterMs = 1_000
/** Peaks between two scrapes are seen: the delays of so many heartbeats are kept, 15 seconds. */
const delaysKept = 30

/** What the workers last said of themselves. Answers from what it has: a worker that hangs holds up nobody. */
export class VitalSigns<Worker extends Patient> {
  readonly #charts = new Map<Worker, Chart>()
  readonly #ledger = new MetricsLedger<Worker>()
  readonly #clock: Clock
  #lastId = 0

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  /** A heartbeat came; not each brings figures. */
  hear(worker: Worker, vitals: ProcessVitals | undefined): void {
    const chart: Chart = this.#charts.get(worker) ?? { heardAt: 0, delays: [], waiting: new Set() }
    this.#charts.set(worker, chart)
    chart.heardAt = this.#clock.monotonic()
    for (const resolve of chart.waiting) resolve()
    chart.waiting.clear()
    if (!vitals) return

    chart.delays = [...chart.delays, vitals.loopDelay].slice(-delaysKept)
    const lately = { ...vitals, loopDelay: worstOf(chart.delays, vitals.loopDelay) }
    this.#lastId += 1
    this.#ledger.keep(worker, {
      id: this.#lastId,
      snapshot: vitalsMetrics(String(worker.instance), lately),
    })
  }

  /** Resolves with its next heartbeat, or its end; at once if it never sent one, since then it may send none. */
  async whenHeard(worker: Worker): Promise<void> {
    const waiting = this.#charts.get(worker)?.waiting
    if (waiting) await new Promise<void>((resolve) => waiting.add(resolve))
  }

  /** The worker is gone: what it had counted stays. */
  leave(worker: Worker): void {
    for (const resolve of this.#charts.get(worker)?.waiting ?? []) resolve()
    this.#charts.delete(worker)
    this.#ledger.retire(worker)
  }

  /** How many of those that were ever heard of are silent now. */
  countStale(): number {
    const freshSince = this.#clock.monotonic() - staleAfterMs
    return [...this.#charts.values()].filter(({ heardAt }) => heardAt < freshSince).length
  }

  snapshots(): MetricSnapshot[][] {
    return this.#ledger.snapshots()
  }
}

/** The usual delay is that of the last interval; the worst ones must not be missed. */
function worstOf(delays: readonly LoopDelay[], { p50Seconds }: LoopDelay): LoopDelay {
  return {
    p50Seconds,
    p99Seconds: Math.max(...delays.map((delay) => delay.p99Seconds)),
    maxSeconds: Math.max(...delays.map((delay) => delay.maxSeconds)),
  }
}
