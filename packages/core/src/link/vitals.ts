/** What a process knows of itself. */
export interface ProcessVitals {
  readonly rssBytes: number
  readonly heapUsedBytes: number
  readonly heapTotalBytes: number
  readonly externalBytes: number
  /** Since the process began. */
  readonly cpu: { readonly userSeconds: number; readonly systemSeconds: number }
  /** Since it was first looked at, by kind: `minor`, `major`, `incremental`, `weakcb`. */
  readonly gc: Readonly<Record<string, { readonly runs: number; readonly seconds: number }>>
  /** The share of the time in which the event loop was busy, 0 to 1, since it was last asked. */
  readonly loopUtilization: number
  /** By how much timers were late, since it was last asked. */
  readonly loopDelay: LoopDelay
  /** HTTP requests that came in, since it was first looked at. */
  readonly requests: number
  /** Open connections of HTTP servers. */
  readonly connections: number
}

export interface LoopDelay {
  readonly p50Seconds: number
  readonly p99Seconds: number
  readonly maxSeconds: number
}
