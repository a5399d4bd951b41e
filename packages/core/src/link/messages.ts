import type { CaptureRequest } from '../control/control-protocol.ts'
import type { ListenQuery, SocketName } from './native-handle.ts'
import type { ProcessVitals } from './vitals.ts'

/**
 * What a supervisor and its workers say to each other over the cluster's IPC channel. Every message is
 * `{ stepladder: kind, ... }`, so that it passes unseen beside the messages of the app.
 *
 *   supervisor -> worker            worker -> supervisor
 *   drain                           listening, closed (each address), leaving (told by a signal)
 *   stopping (all are told to go)   readiness (what the app's checks say)
 *   socket (answer to listen)       listen, then unlisten
 *   connection (handed out)         accepted, then released when it has closed, or passed (to another worker)
 *   taken (what was passed)
 *   deliver (channel message)       opened (a channel), broadcast, then handled from each receiver
 *   delivered (all have handled it), missed (the worker was silent for too long to keep all for it)
 *   lead                            stand (for a leadership), resigned (also from standing)
 *   capture (a heap snapshot, ...)  captured
 *   snapshots (answer to scrape)    snapshot (each second), scrape
 *                                   alive (twice a second), door (an address that may be probed)
 */
export type ToWorker =
  | {
      readonly stepladder: 'drain'
      readonly deadlineMs: number
      /** How long an idle connection may still bring a request. */
      readonly idleMs?: number | undefined
    }
  | { readonly stepladder: 'stopping' }
  | {
      readonly stepladder: 'socket'
      readonly id: number
      readonly key: string
      /** Why there is none, as Node numbers errors. */
      readonly errno?: number
      /** What the workers share beside the socket, such as the keys of TLS tickets. */
      readonly data?: unknown
      /** Where connections are accepted that this worker will be handed; without it the socket comes along. */
      readonly name?: SocketName
    }
  | { readonly stepladder: 'connection'; readonly key: string; readonly id: number }
  | { readonly stepladder: 'taken'; readonly id: number }
  | ({ readonly stepladder: 'deliver' } & ChannelMessage)
  | { readonly stepladder: 'delivered'; readonly id: number }
  | { readonly stepladder: 'missed'; readonly channels: readonly string[] }
  | ({ readonly stepladder: 'lead'; readonly id: number } & Appointment)
  | { readonly stepladder: 'capture'; readonly id: number; readonly request: CaptureRequest }
  | { readonly stepladder: 'snapshots'; readonly id: number; readonly snapshots: readonly MetricSnapshot[][] }

export type ToSupervisor =
  | { readonly stepladder: 'listening' | 'closed'; readonly address: string }
  | { readonly stepladder: 'leaving' }
  | {
      readonly stepladder: 'alive'
      /** Whether it hangs if nothing more is heard of it. */
      readonly isWatched: boolean
      readonly vitals?: ProcessVitals | undefined
    }
  | { readonly stepladder: 'door'; readonly address: string; readonly port: number }
  | { readonly stepladder: 'readiness'; readonly failing: readonly FailingCheck[] }
  | {
      readonly stepladder: 'listen'
      readonly id: number
      readonly query: ListenQuery
      /** Of the sockets for which this worker left the port to the system, which one. */
      readonly nth: number
      readonly data: unknown
    }
  | { readonly stepladder: 'unlisten'; readonly key: string }
  | { readonly stepladder: 'accepted'; readonly key: string; readonly id: number; readonly isTaken: boolean }
  | { readonly stepladder: 'released'; readonly key: string }
  | { readonly stepladder: 'passed'; readonly key: string; readonly id: number }
  | { readonly stepladder: 'opened'; readonly channel: string }
  | ({ readonly stepladder: 'broadcast' } & ChannelMessage)
  | { readonly stepladder: 'handled'; readonly id: number }
  | { readonly stepladder: 'stand'; readonly id: number; readonly name: string }
  | { readonly stepladder: 'resigned'; readonly id: number }
  | { readonly stepladder: 'captured'; readonly id: number; readonly failure?: string | undefined }
  | { readonly stepladder: 'snapshot'; readonly id: number; readonly snapshot: readonly MetricSnapshot[] }
  | { readonly stepladder: 'scrape'; readonly id: number; readonly snapshot: readonly MetricSnapshot[] }

/** A check of a worker that does not pass; without a reason it was not asked yet. */
export interface FailingCheck {
  readonly check: string
  readonly reason?: string | undefined
}

/** What one worker says to the others. */
export interface ChannelMessage {
  readonly id: number
  readonly channel: string
  /** The message as JSON; the supervisor does not read it. Undefined where the message is. */
  readonly text?: string | undefined
}

/** Makes a worker the leader of its machine. */
export interface Appointment {
  /** Greater than that of every leader before it. */
  readonly token: number
  /** The supervisor that appoints, by a name that no other one has. */
  readonly machine: string
}

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
