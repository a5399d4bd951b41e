import { type Duration, parseDuration } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { type ListenAddress, parseListenAddress } from '../health/listen-address.ts'
import { checkOptionNames } from '../options.ts'
import { canReusePort } from '../sockets/reuse-port.ts'
import { checkWatchOptions, type WatchOptions, type WatchSettings } from '../watch/watch-options.ts'
import { countWorkers, type Workers } from './workers.ts'

/**
 * How new connections reach the workers: from one socket that all accept from; handed out one by one by the
 * supervisor; or from a socket of each worker's own, among which the kernel divides them.
 */
export type Distribution = 'shared' | 'dispatch' | 'reuseport'

/** Whom `dispatch` hands a connection: the worker with the fewest, or always the same for a client's address. */
export type Balance = 'least-connections' | 'ip-hash'

const distributions = ['shared', 'dispatch', 'reuseport'] as const satisfies Distribution[]
const balances = ['least-connections', 'ip-hash'] as const satisfies Balance[]

/** What both doors take, `stepladder run` and `runCluster`. */
export interface ClusterOptions extends WatchOptions {
  /** Default `'auto'`: one per core. */
  readonly workers?: Workers | undefined
  /** Default `'shared'`. */
  readonly distribution?: Distribution | undefined
  /** Default `'least-connections'`; only for the distribution `'dispatch'`. */
  readonly balance?: Balance | undefined
  /** How long a worker may take until it listens and its checks (`readyWhen`) pass. Default 30 s. */
  readonly start?: Duration | undefined
  /** How long a worker may take to finish what it began; it has an end. Default 10 s. */
  readonly drain?: Duration | undefined
  /**
   * How long the fleet goes on accepting after it was told to stop and says that it is not ready: as long as a
   * load balancer takes to hear of it. Default 0.
   */
  readonly shutdownDelay?: Duration | undefined
  /**
   * Where the supervisor answers `/livez` and `/readyz` for the whole fleet: a port, or `'127.0.0.1:9000'`.
   * Default: nowhere.
   */
  readonly healthPort?: number | string | undefined
  /** Hears what happens to the workers. Default: lines on stderr. */
  readonly log?: ((line: string) => void) | undefined
}

/** The same, checked and with its defaults: what a supervisor goes by. */
export interface ClusterSettings extends WatchSettings {
  readonly workers: number
  /** What decided how many, where it was the CPU quota. */
  readonly workersBecause?: string | undefined
  readonly distribution: Distribution
  readonly balance: Balance
  /** How long a worker may take to finish what it began, in milliseconds. */
  readonly drainMs: number
  /** How long a worker may take until it listens and its checks pass, in milliseconds. */
  readonly startMs: number
  /** How long it goes on accepting after it was told to stop, in milliseconds. */
  readonly shutdownDelayMs: number
  readonly healthAddress: ListenAddress | undefined
  readonly log: (line: string) => void
}

const names: readonly (keyof ClusterOptions)[] = [
  'workers',
  'distribution',
  'balance',
  'start',
  'drain',
  'shutdownDelay',
  'healthPort',
  'hang',
  'maxMemory',
  'maxAge',
  'maxRequests',
  'log',
]

/** Throws `InvalidOptionError` or `UnknownOptionError` in the name of `owner`. */
export function checkClusterOptions(owner: string, options: ClusterOptions): ClusterSettings {
  checkOptionNames(owner, options, names)
  const { workers = 'auto', distribution = 'shared', balance, drain = '10s', log = logToStderr } = options
  const { start = '30s', shutdownDelay = 0, healthPort } = options
  const { count, because } = countWorkers(owner, workers)
  checkChoice(owner, 'distribution', distribution, distributions)
  if (distribution === 'reuseport' && !canReusePort) {
    throw new InvalidOptionError(owner, 'distribution', distribution, `another on ${process.platform}`)
  }
  checkChoice(owner, 'balance', balance ?? 'least-connections', balances)
  if (balance !== undefined && distribution !== 'dispatch') {
    throw new InvalidOptionError(owner, 'balance', balance, 'left out unless the distribution is "dispatch"')
  }
  return {
    workers: count,
    workersBecause: because,
    distribution,
    balance: balance ?? 'least-connections',
    drainMs: checkDrain(owner, drain),
    startMs: parseDuration(owner, 'start', start),
    shutdownDelayMs: parseDuration(owner, 'shutdownDelay', shutdownDelay),
    healthAddress: healthPort === undefined ? undefined : parseListenAddress(owner, 'healthPort', healthPort),
    ...checkWatchOptions(owner, options),
    log,
  }
}

/** A deploy always ends. And what has no end has no spelling in the message that tells a worker of it. */
function checkDrain(owner: string, drain: Duration): number {
  const drainMs = parseDuration(owner, 'drain', drain)
  if (drainMs === Infinity) throw new InvalidOptionError(owner, 'drain', drain, 'a duration with an end')
  return drainMs
}

function checkChoice(owner: string, option: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return
  throw new InvalidOptionError(owner, option, value, `one of ${choices.join(', ')}`)
}

function logToStderr(line: string): void {
  console.error(`stepladder: ${line}`)
}
