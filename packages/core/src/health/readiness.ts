import type { Closeable } from '../closeable.ts'
import { InvalidOptionError } from '../errors.ts'
import { type CheckResult, ReadinessCheck, type ReadyCheck } from './readiness-check.ts'

export type { ReadyCheck } from './readiness-check.ts'

/** Whether a process can answer requests now, and why not. */
export interface ReadinessReport {
  /** `stopping` from the moment at which the whole fleet was told to go, whatever the checks say. */
  readonly status: 'ready' | 'not ready' | 'stopping'
  readonly checks: ReadonlyMap<string, CheckResult>
}

/** All checks of a process. */
export class Readiness {
  /** The fleet was told to go: it still answers, but wants no more of it. */
  isStopping = false
  readonly #checks = new Map<string, ReadinessCheck>()
  readonly #listeners = new Set<(added?: string) => void>()

  /** Throws `InvalidOptionError` when the name is taken. */
  add(name: string, check: ReadyCheck): Closeable {
    checkArguments(name, check, this.#checks.has(name))
    const added = new ReadinessCheck(name, check)
    this.#checks.set(name, added)
    this.#tell(name)
    return {
      close: async () => {
        if (this.#checks.get(name) !== added) return
        this.#checks.delete(name)
        this.#tell()
      },
    }
  }

  get checkNames(): string[] {
    return [...this.#checks.keys()]
  }

  /** Asks all checks at the same time; never rejects, and lasts little longer than 2 seconds. */
  async look(): Promise<ReadinessReport> {
    const looks = [...this.#checks.values()].map(async (check) => [check.name, await check.look()] as const)
    const checks = new Map(await Promise.all(looks))
    const isGood = [...checks.values()].every(({ status }) => status === 'ok')
    return { status: this.isStopping ? 'stopping' : isGood ? 'ready' : 'not ready', checks }
  }

  /** Hears when a check comes, with its name, or goes. */
  onChange(listener: (added?: string) => void): void {
    this.#listeners.add(listener)
  }

  #tell(added?: string): void {
    for (const listener of this.#listeners) listener(added)
  }
}

const key = Symbol.for('stepladder.readiness')

/** That of this process: one, also when two copies of this package are installed. */
export function processReadiness(): Readiness {
  // The registry of symbols is the only place that two copies share; nobody else writes under our key.
  const shared = globalThis as { [key]?: Readiness }
  shared[key] ??= new Readiness()
  return shared[key]
}

/**
 * Makes this process ready only while `check` passes: `readyWhen('database', () => pool.query('select 1'))`.
 * It fails when it throws, rejects, answers `false`, or takes longer than 2 seconds (the signal it is given is
 * aborted then), and it is called at most once a second, however many probes come. What a reload starts gets its first
 * request, and takes over, only when its checks pass; `/readyz` answers 503 while one fails, and a worker that serves
 * goes on answering requests all the while. Check only what no request can do without: where one database is down for
 * all workers, all of them are not ready. `close()` takes the check away. Throws `InvalidOptionError` when the name
 * is taken.
 */
export function readyWhen(name: string, check: ReadyCheck): Closeable {
  return processReadiness().add(name, check)
}

function checkArguments(name: unknown, check: unknown, isTaken: boolean): void {
  if (typeof name !== 'string' || name === '') {
    throw new InvalidOptionError('readyWhen', 'name', name, 'a word for what is checked')
  }
  if (typeof check !== 'function') throw new InvalidOptionError('readyWhen', 'check', check, 'a function')
  if (isTaken) throw new InvalidOptionError('readyWhen', 'name', name, 'one that no other check has')
}
