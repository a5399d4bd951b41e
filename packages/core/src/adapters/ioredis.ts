import { longestMs, systemClock } from '../clock.ts'
import { withDeadline } from '../deadline.ts'
import { MissingPackageError } from '../errors.ts'
import type { RedisClient, RedisOption } from '../redis.ts'
import { duplicateRedis } from './duplicate-redis.ts'

export interface OpenRedisOptions {
  /** Who asks, for error messages. */
  readonly owner: string
  /** A command that takes longer fails. Default 1000. */
  readonly commandTimeoutMs?: number
  /** The longest pause before it connects once more, in milliseconds. Default 1000. */
  readonly maxRetryMs?: number
  /** What to do with a failing connection: it is retried for ever, and each failure is heard here. */
  readonly onError?: (error: Error) => void
  /** Commands, as they are spelled, that are not gathered with others into one write: their caller has done that. */
  readonly alone?: readonly string[]
}

/**
 * Opens a connection of its own that fails fast: commands fail at once while Redis is away, none is
 * repeated behind the caller's back, and reconnecting never gives up; a server that turns out to be a replica is left for
 * whoever is at its address now. The client that the app passed is
 * duplicated, never changed; close what is returned here, not theirs.
 */
export async function openRedis(
  redis: RedisOption,
  { owner, commandTimeoutMs = 1_000, maxRetryMs = 1_000, onError = () => {}, alone = [] }: OpenRedisOptions,
): Promise<RedisClient> {
  const pause = (attempt: number) => Math.min(maxRetryMs, 50 * attempt)
  const settings = {
    lazyConnect: true,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    // ioredis 5.3 gathers its own `select` too, is refused as not being connected yet, and stays in database 0.
    autoPipeliningIgnoredCommands: ['select', ...alone],
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // Those that the app may want as text are numbers to who reads the answers here.
    stringNumbers: false,
    connectTimeout: 1_000,
    retryStrategy: pause,
    sentinelRetryStrategy: pause,
    reconnectOnError: reconnectOnErrorOf(redis) ?? leaveReplica(),
    // Also what settles a command whose connection broke: ioredis 6 forgets those it does not send again.
    commandTimeout: Math.min(commandTimeoutMs, longestMs),
  }
  const client =
    typeof redis === 'string'
      ? await connectTo(redis, owner, settings)
      : duplicateRedis(redis, settings, { ...clusterSettings, clusterRetryStrategy: pause })
  client.on('error', (error) => {
    // ioredis gives this event an Error, always.
    onError(error as Error)
    setImmediate(() => connectAgain(client))
  })
  // The first connection may fail, or hang, like any later one; ioredis goes on trying by itself.
  await withDeadline('Connecting to Redis', commandTimeoutMs, () => client.connect()).catch(onError)
  return client
}

async function connectTo(url: string, owner: string, settings: object): Promise<RedisClient> {
  const { Redis } = await import('ioredis').catch((cause: unknown) => {
    throw new MissingPackageError(owner, 'ioredis', { cause })
  })
  return new Redis(url, settings)
}

/** What the app's client does already when a command fails. */
function reconnectOnErrorOf(redis: RedisOption): unknown {
  const { options } = redis as { options?: { reconnectOnError?: unknown } }
  return options?.reconnectOnError ?? undefined
}

/**
 * Connects anew where the server refuses to write: behind an address that moves, as those of clouds do, the master that one
 * is still connected to may be a replica by now. A server that is meant to be one is left seldom: each time ends what
 * else is under way.
 */
function leaveReplica(): (failure: Error) => boolean {
  let leftAt = Number.NEGATIVE_INFINITY
  return ({ message }) => {
    const isRefused = message.includes('READONLY')
    const mayLeave = isRefused && systemClock.monotonic() - leftAt >= 1_000
    if (mayLeave) leftAt = systemClock.monotonic()
    return mayLeave
  }
}

/**
 * ioredis gives up for good where sentinels tell of a new master while it asks them for one (`failoverDetector`). Of a
 * client that somebody has closed it tells no such error.
 */
function connectAgain(client: RedisClient): void {
  // The event tells of what fails.
  if (client.status === 'end') client.connect().catch(() => {})
}

const clusterSettings = {
  lazyConnect: true,
  enableOfflineQueue: false,
  // A replica may not know yet what its master has confirmed.
  scaleReads: 'master',
  // Of the cluster as a whole: what goes to one node in one turn goes together.
  enableAutoPipelining: true,
  // ioredis before 5.11 takes what follows the name of a command for its key.
  autoPipeliningIgnoredCommands: ['eval', 'evalsha', 'EVAL', 'EVALSHA'],
  // A master that nothing is asked of may be replaced unseen.
  slotsRefreshInterval: 5_000,
}
