import { decideRestart, type RestartDecision, type WorkerDeath, youngMs } from './restart-policy.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** One of the places that the supervisor keeps filled: who is in charge of it, and what befell it. */
export class Place {
  readonly instance: number
  /** A successor is in charge only when it is up. */
  worker: WorkerHandle | undefined
  /** How many of its workers have died. */
  deaths = 0
  #youngDeaths = 0
  #timer: NodeJS.Timeout | undefined

  constructor(instance: number) {
    this.instance = instance
  }

  /** A successor came up: whatever made its forerunners die young is over. */
  settle(successor: WorkerHandle): void {
    this.cancelRestart()
    this.worker = successor
    this.#youngDeaths = 0
  }

  /** What to do about the death of its worker. */
  decide({ livedMs }: WorkerHandle, others: Pick<WorkerDeath, 'othersLive' | 'hasServed'>): RestartDecision {
    this.deaths += 1
    this.#youngDeaths = livedMs < youngMs ? this.#youngDeaths + 1 : 0
    return decideRestart({ livedMs, youngDeaths: this.#youngDeaths, ...others })
  }

  restart(afterMs: number, occupy: () => void): void {
    this.#timer = setTimeout(occupy, afterMs)
  }

  cancelRestart(): void {
    clearTimeout(this.#timer)
  }
}
