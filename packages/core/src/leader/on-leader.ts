import { type Duration, parseDuration } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import { checkOptionNames } from '../options.ts'
import type { RedisOption } from '../redis.ts'
import type { Reporter } from '../report.ts'
import { Candidacy } from './candidacy.ts'
import { takeFleetTerm } from './fleet-term.ts'
import { complainOfLeadership } from './leader-complaints.ts'
import type { Leadership, LeaderTask } from './leadership.ts'
import { takeSeat } from './machine-seat.ts'

export interface LeaderOptions {
  /** Tells several apart; names are the same in all processes. Default `leader`. */
  readonly name?: string | undefined
  /** A URL or an ioredis client: one leader for all machines that share it. Default: one for each machine. */
  readonly redis?: RedisOption | undefined
  /** Only with `redis`: a machine that is gone is missed for so long before another leads. Default 10 s, at least 1 s. */
  readonly lease?: Duration | undefined
  /** Hears how it goes. Default: failures are written to stderr. */
  readonly report?: Reporter | undefined
}

/**
 * Calls `task` in exactly one process: of this machine, or with `redis` of the whole fleet. When that process dies,
 * is killed because it hangs, or drains, another one's `task` is called, never before the former process is gone or
 * its task has stopped. Where no supervisor runs the process, it leads its machine at once.
 *
 * When `task` has returned, the process goes on leading. When it throws or rejects, its signal is aborted, the
 * failure is reported, and it is called again in the same process, after 1 s to 30 s.
 *
 * With `redis`, a process that is stopped for longer than its lease may for a moment not know that another one leads:
 * the `token` is for the resources where that matters. Throws `InvalidOptionError` for a name that is taken in this process.
 */
export function onLeader(task: LeaderTask, options: LeaderOptions = {}): Leadership {
  checkOptionNames('onLeader', options, ['name', 'redis', 'lease', 'report'])
  const { name = 'leader', redis, lease = '10s', report = complainOfLeadership() } = options
  if (typeof name !== 'string' || name === '') {
    throw new InvalidOptionError('onLeader', 'name', name, 'a name, such as "nightly-report"')
  }
  const ttlMs = parseDuration('onLeader', 'lease', lease)
  if (!(ttlMs >= 1_000 && ttlMs < 2 ** 31)) {
    throw new InvalidOptionError('onLeader', 'lease', lease, "a duration from '1s' to '24d'")
  }
  const take = (signal: AbortSignal) =>
    redis === undefined ? takeSeat(name, signal) : takeFleetTerm({ redis, name, ttlMs, report }, signal)
  return new Candidacy({ name, task, take, report })
}
