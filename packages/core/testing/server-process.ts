import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { childrenOf } from './child-processes.ts'
import { ServerStartError } from './errors.ts'
import { eventually } from './eventually.ts'
import { GuardedProcess } from './guarded-process.ts'
import type { ServerUser } from './server-user.ts'

export interface ServerProcessOptions {
  readonly env: NodeJS.ProcessEnv
  /** The file that its output is added to. */
  readonly log: string
  readonly user?: ServerUser | undefined
  /** See `GuardedProcess`. */
  readonly lastSignal?: 'KILL' | 'QUIT' | undefined
}

/** One life of a server, from start to end, with its children: Postgres has one for each connection. */
export class ServerProcess {
  readonly #process: GuardedProcess
  readonly #log: string
  #frozenChildren: readonly number[] = []
  isFrozen = false

  constructor(
    program: string,
    args: readonly string[],
    { env, log, user, lastSignal }: ServerProcessOptions,
  ) {
    const output = openSync(log, 'a')
    this.#process = new GuardedProcess(program, args, { env, user, output, lastSignal })
    this.#process.unref()
    closeSync(output)
    this.#log = log
  }

  get pid(): number {
    return this.#process.pid
  }

  /** Resolves when `probe` does; rejects with `ServerStartError` when the server ends, or after 30 s. */
  async whenReady(name: string, probe: (process: ServerProcess) => Promise<void>): Promise<void> {
    const ended = this.#process.exited.then((exit) => {
      throw new Error(`${name} ended with ${exit.signal ?? `code ${exit.code}`}`)
    })
    const ready = eventually(name, 30_000, () => probe(this))
    try {
      await Promise.race([ready, ended])
    } catch (cause) {
      const log = await readFile(this.#log, 'utf8').catch(() => '')
      throw new ServerStartError(name, log.slice(-2_000), { cause })
    }
  }

  /** Parent first, so that it makes no more children while they are stopped. */
  async freeze(): Promise<void> {
    this.#process.signal('SIGSTOP')
    this.#frozenChildren = await childrenOf(this.pid)
    this.#process.guardAlso(this.#frozenChildren)
    signalAll(this.#frozenChildren, 'SIGSTOP')
    this.isFrozen = true
  }

  async thaw(): Promise<void> {
    signalAll(this.#frozenChildren, 'SIGCONT')
    this.#process.signal('SIGCONT')
    this.#process.guardOnly()
    this.#frozenChildren = []
    this.isFrozen = false
  }

  /** As when the machine dies: the children too. */
  async kill(): Promise<void> {
    const children = await childrenOf(this.pid)
    this.#process.signal('SIGKILL')
    signalAll(children, 'SIGKILL')
    await this.#process.waitForExit()
  }

  /** Asks the server to end; SIGKILL follows after `graceMs`. */
  async end(signal: NodeJS.Signals, graceMs: number): Promise<void> {
    await this.thaw()
    this.#process.signal(signal)
    const timer = setTimeout(() => void this.kill(), graceMs)
    await this.#process.waitForExit()
    clearTimeout(timer)
  }
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // It ended by itself.
    }
  }
}
