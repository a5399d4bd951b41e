import type { ClusterSettings } from './cluster-options.ts'
import type { WorkerProgram } from './worker-process.ts'

export interface SupervisorOptions extends ClusterSettings, WorkerProgram {
  /** A new worker must live so long after it listens before an old one goes, in milliseconds. Default 1000. */
  readonly settleMs?: number | undefined
  /** A worker that dies young is not started again before the next reload, which may mend it. */
  readonly waitsForReload?: boolean | undefined
  /** Hears of each reload when it begins, with its end. */
  readonly onReload?: ((ended: Promise<void>) => void) | undefined
}
