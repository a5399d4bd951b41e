import { DeadlineExceededError } from '../src/deadline.ts'
import { ServerStartError } from './errors.ts'
import { type Exit, GuardedProcess } from './guarded-process.ts'

export interface SpawnNodeOptions {
  readonly args?: readonly string[] | undefined
  /** Added to this process's environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Flags for Node, besides the `--conditions` of this process, which every child is given. */
  readonly execArgv?: readonly string[] | undefined
  readonly cwd?: string | undefined
}

/** Runs `file` in a Node process of its own, which ends with this process, whatever ends that. */
export function spawnNode(file: string, options: SpawnNodeOptions = {}): NodeProcess {
  return new NodeProcess(file, options)
}

/** A Node process of a test. */
export class NodeProcess implements AsyncDisposable {
  readonly pid: number
  /** Resolves when it has ended and all its output is in `output`. */
  readonly exited: Promise<Exit>
  readonly #file: string
  readonly #process: GuardedProcess
  readonly #heard = new Set<() => void>()
  #output = ''

  /** Not for callers: `spawnNode()` makes one. */
  constructor(file: string, { args = [], env, execArgv = [], cwd }: SpawnNodeOptions) {
    const all = [...inheritedFlags(), ...execArgv, file, ...args]
    this.#file = file
    this.#process = new GuardedProcess(process.execPath, all, {
      env: { ...process.env, ...env },
      cwd,
      output: 'pipe',
    })
    this.pid = this.#process.pid
    for (const stream of [this.#process.child.stdout, this.#process.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#hear(text))
    }
    this.exited = this.#whenClosed()
  }

  /** What it wrote so far, to stdout and stderr together. */
  get output(): string {
    return this.#output
  }

  /** Resolves with the first match in its output; rejects when it ends without one, or `withinMs` (default 30 s) are over. */
  async waitForOutput(pattern: RegExp, withinMs = 30_000): Promise<RegExpExecArray> {
    const found = Promise.withResolvers<RegExpExecArray>()
    const look = () => {
      const match = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).exec(this.#output)
      if (match) found.resolve(match)
    }
    const fail = (cause: Error) =>
      found.reject(new ServerStartError(this.#file, this.#output.slice(-2_000), { cause }))
    const timer = setTimeout(() => fail(new DeadlineExceededError(`output ${pattern}`, withinMs)), withinMs)
    void this.exited.then(({ code, signal }) => fail(new Error(`it ended with ${signal ?? `code ${code}`}`)))
    this.#heard.add(look)
    look()
    return found.promise.finally(() => {
      clearTimeout(timer)
      this.#heard.delete(look)
    })
  }

  /** Sends a signal, by default SIGKILL, which is also what `kill -9` sends. Harmless when it has ended. */
  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#process.signal(signal)
  }

  /** Asks it to end by SIGTERM, and kills it after `graceMs`. May be called twice. */
  async stop(graceMs = 5_000): Promise<Exit> {
    this.kill('SIGTERM')
    const timer = setTimeout(() => this.kill(), graceMs)
    return this.exited.finally(() => clearTimeout(timer))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #hear(text: string): void {
    this.#output += text
    for (const look of this.#heard) look()
  }

  async #whenClosed(): Promise<Exit> {
    const closed = new Promise<void>((resolve) => {
      this.#process.child.once('close', () => resolve())
      this.#process.child.once('error', () => resolve())
    })
    await closed
    return this.#process.exited
  }
}

/** Where this process was told to load packages from their sources, its children must be too. */
function inheritedFlags(): string[] {
  const conditions = process.execArgv.flatMap((flag, index, all) => {
    if (flag.startsWith('--conditions=')) return flag.slice('--conditions='.length)
    return flag === '--conditions' || flag === '-C' ? (all[index + 1] ?? []) : []
  })
  // These are vitest's own; the child is to be what `node file` is.
  const wanted = conditions.filter((condition) => condition !== 'node' && condition !== 'development')
  return [...new Set(wanted)].map((condition) => `--conditions=${condition}`)
}
