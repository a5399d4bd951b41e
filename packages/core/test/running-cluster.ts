import { fileURLToPath } from 'node:url'
import { freePort, type NodeProcess, spawnNode } from '@stepladder/core/testing'
import { vi } from 'vitest'

// A test over a cluster starts several processes, and a machine with other work on it takes its time for each.
vi.setConfig({ testTimeout: 60_000 })

const cli = fileURLToPath(new URL('../bin/stepladder.js', import.meta.url))

/** A cluster under test: the command line as a user runs it, over an app of `fixtures`. */
export interface RunningCluster extends AsyncDisposable {
  readonly port: number
  readonly supervisor: NodeProcess
  json<T>(path: string): Promise<T>
  /** Asks over new connections until as many workers as that have answered; their pids. */
  workerPids(count: number): Promise<number[]>
}

export interface ClusterUnderTest {
  readonly app: string
  readonly workers?: number
  readonly flags?: readonly string[]
  readonly env?: Record<string, string>
  /** The file that starts the supervisor. Default: the command line. */
  readonly supervisor?: string
}

export async function startCluster(options: ClusterUnderTest): Promise<RunningCluster> {
  const { app, workers = 2, flags = [], env = {}, supervisor: file } = options
  const port = await freePort()
  const supervisor = spawnNode(file ? fixture(file) : cli, {
    args: ['run', '--workers', String(workers), '--distribution', 'dispatch', ...flags, fixture(app)],
    env: { PORT: String(port), ...env },
    execArgv: ['--conditions=@stepladder/source'],
  })
  await supervisor.waitForOutput(new RegExp(`${workers} of ${workers} workers serve`))
  return {
    port,
    supervisor,
    json: (path) => askOnce(port, path),
    workerPids: (count) => differentPids(port, count),
    [Symbol.asyncDispose]: () => supervisor[Symbol.asyncDispose](),
  }
}

export function fixture(name: string): string {
  return fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url))
}

async function askOnce<T>(port: number, path: string): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { connection: 'close' },
    // A worker may be killed that has taken the connection; one that starts on a busy machine takes seconds.
    signal: AbortSignal.timeout(4_000),
  })
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
  // The caller says what its fixture answers.
  return (await response.json()) as T
}

async function differentPids(port: number, count: number): Promise<number[]> {
  const pids = new Set<number>()
  for (let tries = 0; pids.size < count && tries < 200; tries++) {
    const { pid } = await askOnce<{ pid: number }>(port, '/pid')
    pids.add(pid)
  }
  return [...pids]
}
