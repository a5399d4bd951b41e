import {
  admitEmbedded,
  openRedis,
  opossumBreaker,
  type RedisClient,
  type RedisOption,
} from '@stepladder/core'
import { Auditor } from './audit/auditor.ts'
import type { Bus } from './bus/bus.ts'
import { RedisBus } from './bus/redis.ts'
import { WorkerChannelBus } from './bus/worker-channel.ts'
import { Cache } from './cache.ts'
import { Copies } from './memory/copies.ts'
import { type CacheOptions, type CacheSettings, readOptions } from './options.ts'
import { RedisStore } from './store/redis.ts'
import { RedisLink } from './store/redis-link.ts'
import type { CacheStore } from './store/store.ts'
import { Journal } from './write/journal.ts'

/** Invalidations kept while the store is away, before they become one of everything. */
const maxJournal = 10_000

/**
 * Makes a cache. Connects in the background; until Redis answers, reads load. Throws `InvalidOptionError` or
 * `UnknownOptionError`, and `EmbeddedEngineError` in production without `redis` or `embedded: true`.
 */
export function createCache(options: CacheOptions): Cache {
  const settings = readOptions(options)
  const { name, budgetMs, report, clock, jitter, codec, usual } = settings
  const { store, bus, opened } = connect(settings)
  // Few: a call may stand for a hundred reads, and one that fails has taken the whole budget of each.
  const breaker = opossumBreaker({ name: `cache ${name}`, report, minCalls: 2 })
  const copies = new Copies(bus, clock, settings)
  const parts = {
    ...{ store, bus, jitter, codec, copies, auditor: openAuditor(settings, copies) },
    journal: new Journal(maxJournal),
    limits: { name, budgetMs, breaker, report, clock },
  }
  return new Cache(parts, usual, opened)
}

function openAuditor({ name, auditRate: rate, report, clock }: CacheSettings, copies: Copies) {
  if (rate === 0) return undefined
  return new Auditor({ name, rate, report, clock, served: (key) => copies.fresh(key) })
}

interface Connected {
  readonly store: CacheStore | undefined
  readonly bus: Bus
  readonly opened: Promise<unknown>
}

function connect(settings: CacheSettings): Connected {
  const { name, redis, store, bus = new WorkerChannelBus(name), isEmbeddedMeant } = settings
  if (redis !== undefined) return connectToRedis(redis, settings)
  if (store === undefined) {
    const engine = 'memory, shared by no other machine'
    admitEmbedded({ owner: `cache "${name}"`, engine, remedy: 'pass `redis`', isMeant: isEmbeddedMeant })
  }
  return { store, bus, opened: Promise.resolve() }
}

function connectToRedis(redis: RedisOption, settings: CacheSettings): Connected {
  const { name, clock, report, tracking } = settings
  const publisher = open(name, redis)
  const link = new RedisLink(clock)
  return {
    store: new RedisStore(name, publisher, link),
    bus: new RedisBus({ name, publisher, link, tracking, report, clock }),
    opened: publisher,
  }
}

function open(name: string, redis: RedisOption): Promise<RedisClient> {
  // A failing connection shows in the outcome of each call, so its errors are not told twice.
  // Memory is not served until it is back.
  return openRedis(redis, { owner: `cache "${name}"`, maxRetryMs: 250 })
}
