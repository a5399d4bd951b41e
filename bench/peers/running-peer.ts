import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from '@stepladder/core'
import { freePort, isRunning, type NodeProcess, spawnNode } from '@stepladder/core/testing'
import { appFile, type ListenLimits, type Peer, type PeerInService } from './peer.ts'
import { cpuMicros, descendantsOf } from './process-tree.ts'

export interface StartOptions {
  /** A file of `bench/apps`. Default `hello.cjs`. */
  readonly app?: string
  /** Default 2. */
  readonly workers?: number
  readonly env?: Readonly<Record<string, string>>
}

/** Starts the peer over an app; resolves when all its workers listen. */
export async function startPeer(peer: Peer, options: StartOptions = {}): Promise<RunningPeer> {
  const { app: name = 'hello.cjs', workers = 2 } = options
  const folder = await mkdtemp(join(tmpdir(), 'stepladder-bench-'))
  const registry = join(folder, 'workers')
  await mkdir(registry)
  const app = { file: appFile(name), workers, folder }
  const port = await freePort()
  const { file, args, env: own } = peer.command(app)
  const environment = {
    NODE_ENV: 'production',
    PORT: String(port),
    WORKERS_FOLDER: registry,
    BROKEN_IF: join(folder, 'broken'),
    ...own,
    ...options.env,
  }
  const supervisor = spawnNode(file, { args, env: environment })
  const running = new RunningPeer(peer, supervisor, { port, environment, folder, registry })
  try {
    await peer.afterStart?.(running, app)
    await running.untilWorkersListen(workers)
    return running
  } catch (cause) {
    const output = running.output.slice(-2_000)
    await running[Symbol.asyncDispose]()
    throw new Error(`${peer.name} did not start:\n${output}`, { cause })
  }
}

interface Surroundings {
  readonly port: number
  readonly environment: Readonly<Record<string, string>>
  readonly folder: string
  /** A folder with a file for each worker that has listened. */
  readonly registry: string
}

/** A peer that serves: its processes, and what can be done to them. */
export class RunningPeer implements PeerInService, AsyncDisposable {
  readonly name: string
  readonly port: number
  readonly supervisor: NodeProcess
  readonly environment: Readonly<Record<string, string>>
  readonly #peer: Peer
  readonly #folder: string
  readonly #registry: string

  /** Not for callers: `startPeer()` makes one. */
  constructor(peer: Peer, supervisor: NodeProcess, { port, environment, folder, registry }: Surroundings) {
    this.name = peer.name
    this.port = port
    this.supervisor = supervisor
    this.environment = environment
    this.#peer = peer
    this.#folder = folder
    this.#registry = registry
  }

  get output(): string {
    return this.supervisor.output
  }

  /** By their own word: no peer's process tree is like another's. */
  async workers(): Promise<number[]> {
    const pids = (await readdir(this.#registry)).map(Number)
    const live = await Promise.all(pids.map(isRunning))
    return pids.filter((_, index) => live[index])
  }

  /** Every process that serves: the supervising one and all that it started. */
  processes(): number[] {
    return [this.supervisor.pid, ...descendantsOf(this.supervisor.pid)]
  }

  /** The time that all its processes spend on a core while `work` is done, in microseconds. */
  async cpuMicrosDuring(work: () => Promise<unknown>): Promise<number> {
    const pids = this.processes()
    const before = cpuMicros(pids)
    await work()
    // What the last answer leaves to do is its own.
    await sleep(5)
    return cpuMicros(pids) - before
  }

  /** From now on the app does not start any more. */
  async breakBuild(): Promise<void> {
    await writeFile(this.environment.BROKEN_IF!, '')
  }

  reload(): Promise<void> {
    return this.#peer.reload(this)
  }

  async untilWorkersListen(
    count: number,
    { besides = [], withinMs = 20_000 }: ListenLimits = {},
  ): Promise<void> {
    const deadline = performance.now() + withinMs
    for (;;) {
      const there = (await this.workers()).filter((pid) => !besides.includes(pid))
      if (there.length >= count) return
      if (performance.now() > deadline || !(await isRunning(this.supervisor.pid)))
        throw new Error(`${there.length} of ${count} workers of ${this.name} listen`)
      await sleep(10)
    }
  }

  async untilItPrints(pattern: RegExp, before: number, withinMs = 60_000): Promise<void> {
    const deadline = performance.now() + withinMs
    while (!pattern.test(this.output.slice(before))) {
      if (performance.now() > deadline) throw new Error(`${this.name} does not print ${pattern}`)
      await sleep(10)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // All by SIGKILL, each by its number: a worker that hangs would not see that its supervisor is gone.
    for (const pid of this.processes()) if (await isRunning(pid)) process.kill(pid, 'SIGKILL')
    await this.supervisor.exited
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
