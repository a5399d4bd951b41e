import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { ServerStartError } from './errors.ts'
import { eventually } from './eventually.ts'
import { GuardedProcess } from './guarded-process.ts'
import { childrenOf, isRunning } from './process-table.ts'
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
    const hasEnded = await eventually(name, 30_000, async () => {
      if (this.#process.hasExited) return true
      await probe(this)
      return false
    }).catch((cause: unknown) => this.#fail(name, cause))
    if (hasEnded) await this.#fail(name)
  }

  async freeze(): Promise<void> {
    this.#frozenChildren = await this.#stopAll()
    this.#process.guardAlso(this.#frozenChildren)
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
    const children = await this.#stopAll()
    this.#process.signal('SIGKILL')
    signalAll(children, 'SIGKILL')
    await this.#process.waitForExit()
    // They hold memory that they share with the server's next life.
    for (const child of children) await eventually('the end of a process', 10_000, () => checkEnded(child))
  }

  /** Asks the server to end; SIGKILL follows after `graceMs`. */
  async end(signal: NodeJS.Signals, graceMs: number): Promise<void> {
    await this.thaw()
    this.#process.signal(signal)
    const timer = setTimeout(() => void this.kill(), graceMs)
    await this.#process.waitForExit()
    clearTimeout(timer)
  }

  async #fail(name: string, cause?: unknown): Promise<never> {
    const log = await readFile(this.#log, 'utf8')
    throw new ServerStartError(name, log.slice(-2_000), { cause })
  }

  /** Parent first: a child that was being born at that moment is in the next list. */
  async #stopAll(): Promise<readonly number[]> {
    this.#process.signal('SIGSTOP')
    for (let known = 0; ; ) {
      const children = await childrenOf(this.pid)
      signalAll(children, 'SIGSTOP')
      if (children.length === known) return children
      known = children.length
    }
  }
}

/** For a server that did not start: removes what it left, and rejects with the reason. */
export function stopAndThrow(server: { stop(): Promise<void> }): (failure: unknown) => Promise<never> {
  return async (failure) => {
    await server.stop()
    throw failure
  }
}

async function checkEnded(pid: number): Promise<void> {
  if (await isRunning(pid)) throw new Error(`process ${pid} runs`)
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
