import type { Steering } from '../cluster/steering.ts'
import type { Supervisor } from '../cluster/supervisor.ts'
import type { WorkerHandle } from '../cluster/worker-handle.ts'
import { residentMemory } from '../watch/resident-memory.ts'
import { CaptureFailedError } from './control-errors.ts'
import type { CaptureRequest, ClusterStatus, ControlRequest, WorkerStatus } from './control-protocol.ts'
import type { Answer } from './control-server.ts'

/** What the commands of `stepladder` can do with a supervisor. */
export interface ControlledCluster {
  readonly supervisor: Supervisor
  readonly steering: Steering
  /** What the workers run. */
  readonly file: string
  /** Lets `hear` hear what is logged, until the returned function is called. */
  readonly overhear: (hear: (line: string) => void) => () => void
}

/** Answers requests by steering the cluster. */
export function controlCommands(cluster: ControlledCluster): Answer {
  return async (request, say) => {
    const { supervisor, steering, overhear } = cluster
    const hush = isLong(request) ? overhear(say) : () => {}
    try {
      if (request.command === 'status') return await statusOf(cluster)
      if (request.command === 'reload') return await steering.awaitReload()
      if (request.command === 'stop') return await steering.awaitStop()
      return await supervisor.captures.order(workerFor(supervisor, request), request)
    } finally {
      hush()
    }
  }
}

function isLong({ command }: ControlRequest): boolean {
  return command === 'reload' || command === 'stop'
}

async function statusOf({ supervisor, file }: ControlledCluster): Promise<ClusterStatus> {
  return {
    pid: process.pid,
    cwd: process.cwd(),
    file,
    ageMs: Math.round(process.uptime() * 1_000),
    generation: supervisor.generation,
    workers: await Promise.all(supervisor.workers().map(statusOfWorker)),
  }
}

async function statusOfWorker([worker, restarts]: readonly [WorkerHandle, number]): Promise<WorkerStatus> {
  const { instance, pid, state, livedMs, generation } = worker
  const rssBytes = await residentMemory(pid)
  return { instance, pid, state, ageMs: Math.round(livedMs), rssBytes, restarts, generation }
}

/** During a reload there are two in one place: the one that serves is meant. */
function workerFor(supervisor: Supervisor, { instance }: CaptureRequest): WorkerHandle {
  const inPlace = supervisor.workers().flatMap(([worker]) => (worker.instance === instance ? [worker] : []))
  const worker = inPlace.find(({ state }) => state === 'serving') ?? inPlace.at(-1)
  if (!worker) throw new CaptureFailedError(`There is no worker ${instance} now`)
  return worker
}
