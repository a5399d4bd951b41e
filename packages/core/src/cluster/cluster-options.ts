import { type Duration, parseDuration } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { checkOptionNames } from '../options.ts'
import { countWorkers, type Workers } from './workers.ts'

/** How new connections reach the workers: one socket that all accept from, or handed out in turn. */
export type Distribution = 'shared' | 'round-robin'

const distributions: readonly string[] = ['shared', 'round-robin'] satisfies Distribution[]

/** What both doors take, `stepladder run` and `runCluster`. */
export interface ClusterOptions {
  /** Default `'auto'`: one per core. */
  readonly workers?: Workers | undefined
  /** Default `'shared'`. */
  readonly distribution?: Distribution | undefined
  /** How long a worker may take to finish what it began. Default 10 s. */
  readonly drain?: Duration | undefined
  /** Hears what happens to the workers. Default: lines on stderr. */
  readonly log?: ((line: string) => void) | undefined
}

/** The same, checked and with its defaults: what a supervisor goes by. */
export interface ClusterSettings {
  readonly workers: number
  readonly distribution: Distribution
  /** How long a worker may take to finish what it began, in milliseconds. */
  readonly drainMs: number
  /** How long a worker may take until it listens, in milliseconds. */
  readonly startMs: number
  readonly log: (line: string) => void
}

/** Throws `InvalidOptionError` or `UnknownOptionError` in the name of `owner`. */
export function checkClusterOptions(owner: string, options: ClusterOptions): ClusterSettings {
  const { workers = 'auto', distribution = 'shared', drain = '10s', log = logToStderr, ...rest } = options
  checkOptionNames(owner, rest, ['workers', 'distribution', 'drain', 'log'])
  if (!distributions.includes(distribution)) {
    throw new InvalidOptionError(owner, 'distribution', distribution, `one of ${distributions.join(', ')}`)
  }
  return {
    workers: countWorkers(owner, workers),
    distribution,
    drainMs: parseDuration(owner, 'drain', drain),
    startMs: 30_000,
    log,
  }
}

function logToStderr(line: string): void {
  console.error(`stepladder: ${line}`)
}
