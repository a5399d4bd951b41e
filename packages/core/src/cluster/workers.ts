import { availableParallelism } from 'node:os'
import { InvalidOptionError } from '../errors.ts'
import { allowedCpus } from './affinity.ts'
import { type CpuQuota, cpuQuota } from './cgroup.ts'

/**
 * `'auto'` is one worker per core that this process may use, or as many as its CPU quota (Docker, Kubernetes,
 * systemd) feeds, if that is fewer. `'max-1'` leaves one core to whatever else runs on the machine.
 */
export type Workers = 'auto' | 'max-1' | number

/** How many workers to run, and what decided. */
export interface WorkerCount {
  readonly count: number
  /** Set where a quota decided: `a quota of 1.5 CPUs (/sys/fs/cgroup/cpu.max) on 8 cores`. */
  readonly because?: string
}

/** More workers than this are a slip of the pen, and would take the machine down. */
const mostWorkers = 1_024

/** How many workers to run. Throws `InvalidOptionError` in the name of `owner` for what is no number of workers. */
export function countWorkers(owner: string, workers: Workers): WorkerCount {
  if (workers === 'auto') return oneForEachCore()
  if (workers === 'max-1') {
    const { count, ...rest } = oneForEachCore()
    return { count: Math.max(1, count - 1), ...rest }
  }
  if (!Number.isInteger(workers) || workers < 1 || workers > mostWorkers) {
    const expected = `"auto", "max-1" or a whole number from 1 to ${mostWorkers}`
    throw new InvalidOptionError(owner, 'workers', workers, expected)
  }
  return { count: workers }
}

function oneForEachCore(): WorkerCount {
  const quota = cpuQuota()
  if (!quota) return { count: Math.min(availableParallelism(), mostWorkers) }
  return shareOut(quota, allowedCpus() ?? availableParallelism())
}

/**
 * How many workers a quota feeds. Half a CPU and more gets a worker of its own: rounded down, a quota of 1.5
 * would leave a third of what is paid for unused; rounded up, 1.1 would be two workers that stall each other.
 */
export function shareOut({ cpus, file }: CpuQuota, cores: number): WorkerCount {
  const fed = Math.max(1, Math.round(cpus))
  if (fed >= cores) return { count: Math.min(cores, mostWorkers) }
  const display = `${Number(cpus.toFixed(2))} ${cpus === 1 ? 'CPU' : 'CPUs'}`
  return { count: fed, because: `a quota of ${display} (${file}) on ${cores} cores` }
}
