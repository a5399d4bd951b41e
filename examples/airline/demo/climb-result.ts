import type { Figures } from './figures.ts'

/** All that a climb measured: what `--json` writes and the report shows. */
export interface Climb {
  readonly machine: string
  /** How busy the machine was with other work before the demo began; 0 to 1. */
  readonly busyBefore: number
  /** What it stood on, such as `SQLite, no Redis`. */
  readonly stands: string
  readonly flights: number
  readonly offeredPerSecond: number
  /** How that rate came about, in words. */
  readonly offer: string
  /** How long each rung was measured. */
  readonly seconds: number
  readonly rungs: readonly MeasuredRung[]
}

export interface MeasuredRung extends Figures {
  readonly remark: string
}
