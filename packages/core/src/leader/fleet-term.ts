import { openRedisLease } from '../adapters/redis-lease.ts'
import type { RedisOption } from '../redis.ts'
import { type LeaseOptions, type LeaseStore, takeLease } from './lease.ts'
import { type Term, takeSeat } from './machine-seat.ts'

export interface FleetOptions extends Omit<LeaseOptions, 'store'> {
  readonly redis: RedisOption
}

/**
 * Waits until this process may lead the whole fleet: first its machine, so that only one process of each machine
 * asks Redis, and then, by a lease, all machines. Rejects with the signal's reason, or when Redis cannot be used.
 */
export async function takeFleetTerm(options: FleetOptions, signal: AbortSignal): Promise<Term> {
  const { name, redis, ttlMs } = options
  const seat = await takeSeat(name, signal)
  const over = AbortSignal.any([signal, seat.lost])
  let store: LeaseStore | undefined
  try {
    store = await openRedisLease({ redis, name, machine: seat.machine, commandTimeoutMs: timeoutFor(ttlMs) })
    const lease = await takeLease({ ...options, store }, over)
    return {
      token: lease.token,
      lost: AbortSignal.any([seat.lost, lease.lost]),
      get isHeld() {
        return seat.isHeld && lease.isHeld
      },
      async resign() {
        await lease.release()
        await store?.close()
        await seat.resign()
      },
    }
  } catch (failure) {
    await store?.close()
    await seat.resign()
    throw failure
  }
}

/** A renewal that hangs must leave time for another one. */
function timeoutFor(ttlMs: number): number {
  return Math.min(1_000, ttlMs / 5)
}
