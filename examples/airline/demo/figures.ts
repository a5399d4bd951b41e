import { cpus } from 'node:os'
import type { Finding } from './check.ts'
import type { Load } from './load.ts'
import type { Rung } from './rung.ts'

/** What one rung did under the load. */
export interface Figures {
  readonly rung: number
  readonly folder: string
  readonly adds: string
  readonly offeredPerSecond: number
  /** Good answers that came within the measured time, per second of it. */
  readonly answeredPerSecond: number
  /** Of the good answers, from when a visit was meant to be sent. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Sent to the database per visit that reached the airline, those after the answer included. */
  readonly queriesPerRequest: number
  /** Visits without a good answer in time, of those offered; 0 to 1. */
  readonly errorShare: number
  readonly carts: { readonly kept: number; readonly of: number }
  readonly findings: readonly Finding[]
  /** Processes of the airline that died and were replaced meanwhile, in the supervisor's words. */
  readonly deaths: readonly string[]
  /** How busy the machine's cores were; 0 to 1. */
  readonly machineBusy: number
  readonly generatorCores: number
  readonly generatorLagMs: number
  /** Latency by half second. */
  readonly timeline: readonly Moment[]
}

export interface Moment {
  /** Seconds since counting began, at the middle of the moment. */
  readonly at: number
  readonly answered: number
  readonly p50Ms: number | null
  readonly p99Ms: number | null
}

export type LoadFigures = Omit<Figures, 'carts' | 'findings' | 'queriesPerRequest' | 'machineBusy' | 'deaths'>

/** What the samples of a load say. */
export function summarise(rung: Rung, load: Load, measuredMs: number): LoadFigures {
  const answered = load.samples.filter(({ isAnswered }) => isAnswered)
  const inTime = answered.filter(({ at, latencyMs }) => at + latencyMs <= measuredMs)
  const latencies = sorted(answered.map(({ latencyMs }) => latencyMs))
  return {
    rung: rung.number,
    folder: rung.folder,
    adds: rung.adds,
    offeredPerSecond: load.samples.length / (measuredMs / 1_000),
    answeredPerSecond: inTime.length / (measuredMs / 1_000),
    p50Ms: quantile(latencies, 0.5) ?? Number.NaN,
    p99Ms: quantile(latencies, 0.99) ?? Number.NaN,
    errorShare: 1 - answered.length / Math.max(1, load.samples.length),
    generatorCores: load.generatorCores,
    generatorLagMs: load.lagMs,
    timeline: timeline(load, measuredMs),
  }
}

function timeline({ samples }: Load, measuredMs: number): Moment[] {
  const momentMs = 500
  return Array.from({ length: Math.ceil(measuredMs / momentMs) }, (_, index) => {
    const from = index * momentMs
    const answered = samples.filter(({ at, isAnswered }) => isAnswered && at >= from && at < from + momentMs)
    const latencies = sorted(answered.map(({ latencyMs }) => latencyMs))
    return {
      at: (from + momentMs / 2) / 1_000,
      answered: answered.length,
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
    }
  })
}

function sorted(values: number[]): number[] {
  return values.sort((a, b) => a - b)
}

/** The nearest rank; null of nothing. */
export function quantile(sortedValues: readonly number[], share: number): number | null {
  return sortedValues[Math.max(0, Math.ceil(sortedValues.length * share) - 1)] ?? null
}

/** Call what it returns to learn how busy all cores were since; 0 to 1. */
export function watchCores(): () => number {
  const before = coreTimes()
  return () => {
    const after = coreTimes()
    return 1 - (after.idle - before.idle) / Math.max(1, after.total - before.total)
  }
}

function coreTimes(): { idle: number; total: number } {
  const times = cpus().map(({ times }) => times)
  return {
    idle: times.reduce((sum, { idle }) => sum + idle, 0),
    total: times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0),
  }
}
