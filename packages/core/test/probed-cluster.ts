import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClusterUnderTest, type RunningCluster, startCluster } from './running-cluster.ts'

/** A cluster over `probed-app.cjs`, whose checks go by what is written in a file, with probes for the whole fleet. */
export interface ProbedCluster extends RunningCluster {
  /** `up`, `down`, or a new build that is `not ready`. */
  setState(state: string): Promise<void>
  /** Where the supervisor answers probes. */
  readonly probes: string
  /** Asks a probe of the fleet, or with `app` of one of its workers. */
  probe(path: string, from?: 'fleet' | 'app'): Promise<{ status: number; body: unknown }>
}

export async function startProbedCluster(overrides: Partial<ClusterUnderTest> = {}): Promise<ProbedCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'stepladder-state-'))
  const file = join(folder, 'state')
  await writeFile(file, 'up')
  const cluster = await startCluster({
    app: 'probed-app.cjs',
    ...overrides,
    flags: ['--health-port', '127.0.0.1:0', ...(overrides.flags ?? [])],
    env: { STATE_FILE: file, ...overrides.env },
  })
  const [, probes = ''] = await cluster.supervisor.waitForOutput(/probes are answered at (\S+)\/livez/)
  return {
    ...cluster,
    probes,
    setState: (state) => writeFile(file, state),
    async probe(path, from = 'fleet') {
      const base = from === 'fleet' ? probes : `http://127.0.0.1:${cluster.port}`
      const response = await fetch(`${base}${path}`, { headers: { connection: 'close' } })
      return { status: response.status, body: await response.json() }
    },
    async [Symbol.asyncDispose]() {
      await cluster[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}
