import {
  constants,
  type EventLoopUtilization,
  monitorEventLoopDelay,
  PerformanceObserver,
} from 'node:perf_hooks'
import type { LoopDelay, ProcessVitals } from '../link/vitals.ts'
import { ServerStats } from './server-stats.ts'

/** How often the event loop is looked at for delays, in milliseconds: each look wakes an idle process. A delay that is
 * shorter than this is seen by chance; the figures are of many. */
const resolutionMs = 50

/** Looks at this process from now on. */
export class ProcessStats {
  readonly #gc: Record<string, { runs: number; seconds: number }> = {}
  readonly #observer: PerformanceObserver
  readonly #delays: ReturnType<typeof monitorEventLoopDelay>
  readonly #servers = new ServerStats()
  #utilization: EventLoopUtilization = performance.eventLoopUtilization()

  constructor() {
    for (const kind of Object.values(gcKinds)) this.#gc[kind] = { runs: 0, seconds: 0 }
    this.#observer = new PerformanceObserver((list) => {
      // Node documents what an entry of this type carries; its types do not.
      for (const entry of list.getEntries() as GcEntry[]) this.#countGc(entry)
    })
    this.#observer.observe({ entryTypes: ['gc'] })
    this.#delays = monitorEventLoopDelay({ resolution: resolutionMs })
    this.#delays.enable()
  }

  /** The figures as they are, and of those that tell of an interval, of the one since the last call. */
  async take(): Promise<ProcessVitals> {
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    const connections = await this.#servers.connections()
    return {
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      externalBytes: external,
      cpu: { userSeconds: user / 1e6, systemSeconds: system / 1e6 },
      gc: this.#gc,
      loopUtilization: this.#takeUtilization(),
      loopDelay: this.#takeDelay(),
      requests: this.#servers.requests,
      connections,
    }
  }

  /** Looks no more. */
  close(): void {
    this.#observer.disconnect()
    this.#delays.disable()
    this.#servers.close()
  }

  #countGc({ duration, detail }: GcEntry): void {
    const known = this.#gc[gcKinds[detail.kind] ?? 'other']
    if (!known) return
    known.runs += 1
    known.seconds += duration / 1_000
  }

  #takeUtilization(): number {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization)
    this.#utilization = now
    return utilization
  }

  #takeDelay(): LoopDelay {
    const delays = this.#delays
    // Node records how far apart the looks were, so that a loop without any delay shows the resolution.
    const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1_000)
    const taken = {
      p50Seconds: late(delays.percentile(50)),
      p99Seconds: late(delays.percentile(99)),
      maxSeconds: delays.count === 0 ? 0 : late(delays.max),
    }
    delays.reset()
    return taken
  }
}

type GcEntry = PerformanceEntry & { readonly detail: { readonly kind: number } }

const gcKinds: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
}
