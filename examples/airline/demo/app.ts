import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { type NodeProcess, spawnNode } from '@stepladder/core/testing'
import { DemoError } from './demo-error.ts'
import { type Rung, serverFile } from './rung.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Starts the airline as it is at a rung; resolves when every one of its processes listens. */
export async function startApp(rung: Rung, env: Environment): Promise<App> {
  const workers = availableParallelism()
  const child = rung.isClustered
    ? spawnNode(stepladder(), {
        args: ['run', '--workers', `${workers}`, serverFile(rung)],
        env: { ...env, PORT: '0' },
      })
    : spawnNode(serverFile(rung), { env: { ...env, PORT: '0' } })
  const ready = rung.isClustered ? new RegExp(`${workers} of ${workers} workers serve`) : /port: \d+/
  try {
    await child.waitForOutput(ready, 20_000)
  } catch (cause) {
    await child.stop(0)
    throw new DemoError(`The airline did not start at rung ${rung.number}:\n${child.output}`, { cause })
  }
  const [, port] = await child.waitForOutput(/port: (\d+)/)
  return new App(rung, child, `http://127.0.0.1:${port}`)
}

/** The airline, running. Ends with this process, whatever ends that. */
export class App implements AsyncDisposable {
  readonly origin: string
  readonly pid: number
  readonly #rung: Rung
  readonly #child: NodeProcess
  #isStopping = false

  constructor(rung: Rung, child: NodeProcess, origin: string) {
    this.#rung = rung
    this.#child = child
    this.origin = origin
    this.pid = child.pid
  }

  /** Everything that it wrote. */
  get output(): string {
    return this.#child.output
  }

  /** The work, unless the airline ends first without being told to: then rejects with `DemoError`. */
  async watch<T>(work: Promise<T>): Promise<T> {
    const death = this.#child.exited.then(({ code, signal }) => {
      if (this.#isStopping) return new Promise<never>(() => {})
      const end = signal === null ? `ended with code ${code}` : `was killed by ${signal}`
      throw new DemoError(`The airline ${end} at rung ${this.#rung.number}.\n${this.lastLines()}`)
    })
    return Promise.race([work, death])
  }

  /** Workers that died and were replaced, as the supervisor tells it. */
  deaths(): readonly string[] {
    return this.output.match(/worker \d+ (?:was killed by|exited with).*/g) ?? []
  }

  lastLines(): string {
    return this.output.trim().split('\n').slice(-12).join('\n')
  }

  /** Queries that all its processes together have sent to the database. */
  async countQueries(): Promise<number> {
    const response = await fetch(`${this.origin}/metrics`, { signal: AbortSignal.timeout(5_000) })
    const count = /^airline_queries_total (\S+)$/m.exec(await response.text())
    return Number(count?.[1] ?? Number.NaN)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#child.stop(8_000)
  }

  /** Ends it at once; its workers end with it. */
  async kill(): Promise<void> {
    this.#isStopping = true
    await this.#child.stop(0)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

function stepladder(): string {
  const core = createRequire(import.meta.url).resolve('@stepladder/core/package.json')
  return join(dirname(core), 'bin', 'stepladder.js')
}
