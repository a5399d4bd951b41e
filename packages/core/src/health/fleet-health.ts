import type { Place } from '../cluster/place.ts'
import type { WorkerHandle } from '../cluster/worker-handle.ts'
import type { ReadinessBook } from './readiness-book.ts'

/** The fleet, as far as a probe is concerned. */
export interface FleetHealth {
  /** Somebody told it to go. */
  readonly isStopping: boolean
  /** Those in charge, one for each place: not who is on the way in or out during a reload. */
  readonly workers: readonly WorkerHealth[]
}

export interface WorkerHealth {
  readonly instance: number
  readonly state: string
  /** It listens and its checks pass. */
  readonly isReady: boolean
  /** The names of the checks that do not pass. */
  readonly failing: readonly string[]
}

export function fleetHealth(
  places: readonly Place[],
  book: ReadinessBook<WorkerHandle>,
  isStopping: boolean,
): FleetHealth {
  const workers = places.map(({ instance, worker }) => {
    const state = worker?.state ?? 'gone'
    const failing = worker ? book.failing(worker).map(({ check }) => check) : []
    return { instance, state, isReady: state === 'serving' && failing.length === 0, failing }
  })
  return { isStopping, workers }
}
