import { keyPrefix, startRedis } from '@stepladder/core/testing'
import { allPeers } from '../../packages/cache/test/peers/all-peers.ts'
import type { Peer, PeerNode } from '../../packages/cache/test/peers/peer.ts'
import { redisClient } from '../../packages/cache/test/peers/redis-client.ts'
import type { Figure } from '../figure.ts'
import { checkFlight, flight, flightKeys } from './flights.ts'
import { type Arm, speedFigures } from './speed.ts'

const together = { concurrency: 64, batch: 5, warmUpMicros: 2_500_000 }
/** On a busy machine ours would do without Redis otherwise. */
const readBudgetMs = 10_000
const [rawGet, rawGetAndSet] = ['raw pipelined GET', 'raw pipelined GET and SET']

interface ClosableArm extends Arm {
  close(): Promise<unknown>
}

/** Hits in Redis by a process with a cold memory. */
export async function redisHits(rounds: number): Promise<Figure[]> {
  await using redis = await startRedis()
  const arms = [
    ...(await Promise.all(allPeers.map((peer) => hitArm(peer, redis.url)))),
    await rawHits(redis.url),
  ]
  const what = 'hit in Redis at concurrency 64, vs a raw pipelined GET and JSON.parse'
  const told = { id: 'l2-hit', what, aim: '>= 0.95', against: rawGet, ...together }
  const figures = await speedFigures(told, arms, rounds)
  await Promise.all(arms.map((arm) => arm.close()))
  return figures
}

/** Misses of everything: asked, loaded, stored; ours under a lease. */
export async function redisMisses(rounds: number): Promise<Figure[]> {
  await using redis = await startRedis()
  const arms = [
    ...(await Promise.all(allPeers.map((peer) => missArm(peer, redis.url)))),
    rawMisses(redis.url),
  ]
  const what = 'miss and fill at concurrency 64, ours with a lease, vs a raw pipelined GET and SET'
  const told = { id: 'miss-fill', what, aim: '>= 0.65', against: rawGetAndSet, ...together }
  const figures = await speedFigures(told, arms, rounds)
  await Promise.all(arms.map((arm) => arm.close()))
  return figures
}

async function hitArm(peer: Peer, redis: string): Promise<ClosableArm> {
  const { name } = peer
  const common = { name: keyPrefix('bench'), redis, ttlMs: 3_600_000, readBudgetMs }
  const writer = await peer.open({ ...common, load: async () => flight })
  await Promise.all(flightKeys.map((key) => writer.get(key)))
  await writer.close()
  const load = async (): Promise<never> => {
    throw new Error(`${name} does not hit`)
  }
  // Room for one entry: every read goes to Redis.
  const reader = await peer.open({ ...common, load, maxEntries: 1 })
  checkFlight(name, await reader.get(flightKeys[7]!))
  const call = async (first: number, count: number) => {
    for (let index = first; index < first + count; index++) {
      if ((await reader.get(flightKeys[index % flightKeys.length]!)) === undefined) await load()
    }
  }
  return { name, call, close: () => reader.close() }
}

async function rawHits(url: string): Promise<ClosableArm> {
  const raw = redisClient(url)
  for (const key of flightKeys) await raw.set(key, JSON.stringify(flight))
  const call = async (first: number, count: number) => {
    for (let index = first; index < first + count; index++) {
      if (!JSON.parse((await raw.get(flightKeys[index % flightKeys.length]!)) ?? 'null'))
        throw new Error('no hit')
    }
  }
  return { name: rawGet!, call, close: () => raw.quit() }
}

/** Short, so that Redis does not fill up: every call is a new key. */
const missTtlMs = 10_000

async function missArm(peer: Peer, redis: string): Promise<ClosableArm> {
  let [calls, loads] = [0, 0]
  const load = async () => {
    loads += 1
    return flight
  }
  const options = { name: keyPrefix('bench'), redis, load, ttlMs: missTtlMs, maxEntries: 1, readBudgetMs }
  const node: PeerNode = await peer.open(options)
  checkFlight(peer.name, await node.get('first'))
  loads = 0
  const call = async (_first: number, count: number) => {
    for (let made = 0; made < count; made++) {
      calls += 1
      await node.get(`missing:${calls}`)
    }
  }
  const close = async () => {
    await node.close()
    if (loads !== calls) throw new Error(`${peer.name} loaded ${loads} times for ${calls} misses`)
  }
  return { name: peer.name, call, close }
}

function rawMisses(url: string): ClosableArm {
  const raw = redisClient(url)
  let calls = 0
  const load = async () => flight
  const call = async (_first: number, count: number) => {
    for (let made = 0; made < count; made++) {
      calls += 1
      const key = `missing:${calls}`
      if ((await raw.get(key)) !== null) throw new Error('no miss')
      await raw.set(key, JSON.stringify(await load()), 'PX', missTtlMs)
    }
  }
  return { name: rawGetAndSet!, call, close: () => raw.quit() }
}
