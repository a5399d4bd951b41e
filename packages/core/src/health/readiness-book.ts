import type { FailingCheck, ToSupervisor } from '../link/messages.ts'

/** What the checks of all workers said last. A worker that has no checks is never in here. */
export class ReadinessBook<Worker> {
  readonly #failing = new Map<Worker, readonly FailingCheck[]>()
  readonly #waiting = new Set<() => void>()
  readonly #onChange: (worker: Worker, words: string) => void

  /** `onChange` hears, once per change, that a worker is not ready and why, or that it is again. */
  constructor(onChange: (worker: Worker, words: string) => void) {
    this.#onChange = onChange
  }

  hear(worker: Worker, message: ToSupervisor): void {
    if (message.stepladder !== 'readiness') return
    const before = this.failing(worker)
    this.#failing.set(worker, message.failing)
    this.#sayChange(worker, before, message.failing)
    this.#wake()
  }

  forget(worker: Worker): void {
    this.#failing.delete(worker)
    this.#wake()
  }

  failing(worker: Worker): readonly FailingCheck[] {
    return this.#failing.get(worker) ?? []
  }

  /** Why it is not ready: `its check "database" fails: connect ECONNREFUSED`; undefined when it is. */
  reason(worker: Worker): string | undefined {
    const failing = this.failing(worker)
    return failing.length === 0 ? undefined : failing.map(inWords).join(', ')
  }

  /** Resolves to true when all its checks pass, or when it was forgotten. */
  async whenReady(worker: Worker): Promise<true> {
    while (this.failing(worker).length > 0) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
    return true
  }

  #sayChange(worker: Worker, before: readonly FailingCheck[], now: readonly FailingCheck[]): void {
    const asked = now.filter(({ reason }) => reason !== undefined)
    const isNews = asked.some(({ check }) => !before.some((known) => known.check === check && known.reason))
    if (isNews) this.#onChange(worker, `is not ready: ${asked.map(inWords).join(', ')}`)
    const wasSaid = before.some(({ reason }) => reason !== undefined)
    if (now.length === 0 && wasSaid) this.#onChange(worker, 'is ready again')
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}

function inWords({ check, reason }: FailingCheck): string {
  return reason === undefined
    ? `its check "${check}" has not answered yet`
    : `its check "${check}" fails: ${reason}`
}
