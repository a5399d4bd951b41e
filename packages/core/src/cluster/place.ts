import { decideRestart, type RestartDecision, type WorkerDeath, youngMs } from './restart-policy.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** One of the places that the supervisor keeps filled: who is in charge of it, and what befell it. */
export class Place {
  readonly instance: number
  #worker: WorkerHandle | undefined
  /** How many of its workers have died. */
  deaths = 0
  #youngDeaths = 0
  #timer: NodeJS.Timeout | undefined

  constructor(instance: number) {
    this.instance = instance
  }

  /** Who is in charge, dead or alive: a successor only when it is up. */
  get worker(): WorkerHandle | undefined {
    return this.#worker
  }

  /**
   * A successor came up: whatever made its forerunners die young is over. Returns whom it relieves, who need not be
   * the one that it was started for: that one may have died meanwhile, and another taken its place.
   */
  settle(successor: WorkerHandle): WorkerHandle | undefined {
    const relieved = this.#worker
    this.occupy(successor)
    this.#youngDeaths = 0
    return relieved
  }

  /** A worker is in charge, and nobody else is waited for. */
  occupy(worker: WorkerHandle): void {
    this.cancelRestart()
    this.#worker = worker
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
