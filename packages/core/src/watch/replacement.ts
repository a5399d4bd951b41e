/** Why a worker is replaced that is alive. */
export interface Replacement {
  /** One of few: a label of the metric `stepladder_cluster_restarts_total`. */
  readonly reason: string
  /** It hangs: it cannot be asked to drain, and its successor is not kept waiting. Asked when that is up. */
  readonly isHung?: () => boolean
}
