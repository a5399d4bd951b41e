import { AsyncResource } from 'node:async_hooks'
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel'
import type { Operation } from './operation.ts'

/**
 * What subscribers of `tracing:stepladder.operation:start`, `:end`, `:asyncStart`, `:asyncEnd` and `:error` are
 * handed: one object per operation, the same at each of its events, so that a tracer may keep its span on it.
 */
export interface OperationTrace extends Operation {
  /** From `error` or `asyncStart` on: how it ended. */
  outcome?: string
  /** From `error` or `asyncStart` on: how long it took, in milliseconds. */
  ms?: number
  /** What went wrong, also where the operation did well in spite of it: a cache that served an older value. */
  cause?: unknown
  /** `cause`, where the operation failed. */
  error?: unknown
}

// All copies of this package in a process share them: Node keeps channels by name.
const channel: TracingChannel<OperationTrace> = tracingChannel('stepladder.operation')
const { start, end, asyncStart, asyncEnd, error } = channel

/** Whether anybody in this process has subscribed to operations, or bound a store to their start. */
export function isTraced(): boolean {
  // `channel.hasSubscribers` says the same and takes longer, and this is asked for each hit of a cache.
  return (
    start.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    error.hasSubscribers
  )
}

/** Tells the subscribers that an operation starts. Only of use while `isTraced()`. */
export function traceStart(subject: Operation): {
  readonly trace: OperationTrace
  /** What runs in it is inside the operation: the stores that tracers bound to `start` have its value there. */
  readonly scope: AsyncResource
} {
  const { component, name, operation } = subject
  const trace: OperationTrace = { component, name, operation }
  const scope = start.runStores(trace, () => new AsyncResource('StepladderOperation'))
  // As of a function that returned a promise: `end` is of its synchronous part.
  end.publish(trace)
  return { trace, scope }
}

/** Tells the subscribers how it ended. */
export function traceEnd(
  trace: OperationTrace,
  { outcome, ms, cause }: { readonly outcome: string; readonly ms: number; readonly cause?: unknown },
  isFailure: boolean,
): void {
  trace.outcome = outcome
  trace.ms = ms
  if (cause !== undefined) trace.cause = cause
  if (isFailure) {
    trace.error = cause
    error.publish(trace)
  }
  asyncStart.publish(trace)
  asyncEnd.publish(trace)
}
