import { setTimeout as pause } from 'node:timers/promises'
import { keyPrefix, startRedis } from '@stepladder/core/testing'
import { allPeers } from '../../packages/cache/test/peers/all-peers.ts'
import type { Peer } from '../../packages/cache/test/peers/peer.ts'
import { CommandCounter } from '../command-counter.ts'
import type { Figure } from '../figure.ts'
import { median } from '../interleave.ts'
import { flight } from './flights.ts'

const keys = Array.from({ length: 20 }, (_, index) => `key:${index}`)
/** By then connections are made, and scripts known. */
const settleMs = 300
/** What an operation leaves to be done later belongs to it. */
const afterMs = 20
/** Ours proves with it that it hears; one for each process, however much is read. */
const heartbeat = /^publish \S+:[0-9a-f]{8}-[0-9a-f-]{27} /i

interface Commands {
  readonly miss: number
  readonly hit: number
  readonly invalidation: number
}

/**
 * The commands that Redis is sent for one operation at a time, with two processes: the median, since once in a while one
 * more looks at what others wrote, for all of it together. What scripts do inside is part of them.
 */
export async function commands(): Promise<Figure[]> {
  await using redis = await startRedis()
  const counter = await CommandCounter.open(redis.url, heartbeat)
  const shown = new Map<string, Commands>()
  for (const peer of allPeers) shown.set(peer.name, await commandsOf(peer, redis.url, counter))
  counter.close()
  const figure = (kind: keyof Commands, what: string, bound: number): Figure => {
    const arms = Object.fromEntries([...shown].map(([name, counted]) => [name, counted[kind]]))
    const value = shown.get(allPeers[0]!.name)![kind]
    const told = { id: `commands-${kind}`, what: `Redis commands per ${what}`, aim: `<= ${bound}` }
    return { ...told, value, unit: 'commands', arms, armsUnit: 'commands', spread: 0 }
  }
  return [
    figure('hit', 'hit in Redis', 1),
    figure('miss', 'miss and fill', 2),
    figure('invalidation', 'invalidation of a key', 1),
  ]
}

async function commandsOf(peer: Peer, redis: string, counter: CommandCounter): Promise<Commands> {
  const options = { name: keyPrefix('commands'), redis, load: async () => flight }
  const open = async () => {
    const node = await peer.open(options)
    await node.get('warm up')
    await node.invalidate('warm up')
    return node
  }
  const one = await open()
  const each = async (operation: (key: string) => Promise<unknown>) => {
    await pause(settleMs)
    const counts: number[] = []
    for (const key of keys) {
      const count = counter.during(async () => {
        await operation(key)
        await pause(afterMs)
      })
      counts.push(await count)
    }
    return median(counts)
  }
  const miss = await each((key) => one.get(key))
  // Only now, since some hand each other the values that they load.
  const two = await open()
  const hit = await each((key) => two.get(key))
  const invalidation = await each((key) => one.invalidate(key))
  await Promise.all([one.close(), two.close()])
  return { miss, hit, invalidation }
}
