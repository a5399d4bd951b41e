import { type Clock, systemClock } from '../clock.ts'
import type { MetricSnapshot } from '../cluster/messages.ts'
import type { LoopDelay, ProcessVitals } from '../cluster/vitals.ts'
import { vitalsMetrics } from '../cluster/vitals-metrics.ts'
import { MetricsLedger } from './metrics-ledger.ts'

/** A worker as its vital signs need it. */
export interface Patient {
  readonly instance: number
}

interface Chart {
  heardAt: number
  vitals?: ProcessVitals
  /** Of the last heartbeats, the youngest last. */
  delays: LoopDelay[]
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
    const chart: Chart = this.#charts.get(worker) ?? { heardAt: 0, delays: [] }
    this.#charts.set(worker, chart)
    chart.heardAt = this.#clock.monotonic()
    if (!vitals) return

    chart.vitals = vitals
    chart.delays = [...chart.delays, vitals.loopDelay].slice(-delaysKept)
    const lately = { ...vitals, loopDelay: worstOf(chart.delays, vitals.loopDelay) }
    this.#lastId += 1
    this.#ledger.keep(worker, {
      id: this.#lastId,
      snapshot: vitalsMetrics(String(worker.instance), lately),
    })
  }

  /** The worker is gone: what it had counted stays. */
  leave(worker: Worker): void {
    this.#charts.delete(worker)
    this.#ledger.retire(worker)
  }

  /** What it last said, if it said anything yet. */
  of(worker: Worker): ProcessVitals | undefined {
    return this.#charts.get(worker)?.vitals
  }

  /** Whether it was heard of within the last second. */
  isFresh(worker: Worker): boolean {
    const chart = this.#charts.get(worker)
    return chart !== undefined && this.#clock.monotonic() - chart.heardAt <= staleAfterMs
  }

  /** How many of those that were ever heard of are not fresh. */
  countStale(): number {
    return [...this.#charts.keys()].filter((worker) => !this.isFresh(worker)).length
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
