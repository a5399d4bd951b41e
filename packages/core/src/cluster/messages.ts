/**
 * What a supervisor and its workers say to each other over the cluster's IPC channel. Every message is
 * `{ stepladder: kind, ... }`, so that it passes unseen beside the messages of the app.
 *
 *   supervisor -> worker            worker -> supervisor
 *   drain                           listening, closed (each address), leaving (told by a signal)
 *   deliver (channel message)       post, then handled from each receiver
 *   posted  (all have handled it)
 *   snapshots (answer to scrape)    snapshot (each second), scrape
 */
export type ToWorker =
  | { readonly stepladder: 'drain'; readonly deadlineMs: number }
  | {
      readonly stepladder: 'deliver'
      readonly id: number
      readonly channel: string
      readonly message: unknown
    }
  | { readonly stepladder: 'posted'; readonly id: number }
  | { readonly stepladder: 'snapshots'; readonly id: number; readonly snapshots: readonly MetricSnapshot[][] }

export type ToSupervisor =
  | { readonly stepladder: 'listening' | 'closed'; readonly address: string }
  | { readonly stepladder: 'leaving' }
  | { readonly stepladder: 'post'; readonly id: number; readonly channel: string; readonly message: unknown }
  | { readonly stepladder: 'handled'; readonly id: number }
  | { readonly stepladder: 'snapshot'; readonly id: number; readonly snapshot: readonly MetricSnapshot[] }
  | { readonly stepladder: 'scrape'; readonly id: number; readonly snapshot: readonly MetricSnapshot[] }

/** One metric as prom-client's `getMetricsAsJSON` gives it. */
export interface MetricSnapshot {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly aggregator?: string
  readonly values: readonly MetricSample[]
}

export interface MetricSample {
  /** A number; on the wire a string where JSON has no number for it: `NaN`, `Infinity`, `-Infinity`. */
  readonly value: number | string
  readonly labels: Readonly<Record<string, string | number>>
  readonly metricName?: string
}

/** Tells our messages from those of the app. */
export function isOurs(message: unknown): message is { readonly stepladder: string } {
  return typeof message === 'object' && message !== null && 'stepladder' in message
}
