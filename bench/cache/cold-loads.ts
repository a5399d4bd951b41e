import { keyPrefix, startRedis } from '@stepladder/core/testing'
import { allPeers } from '../../packages/cache/test/peers/all-peers.ts'
import type { Peer } from '../../packages/cache/test/peers/peer.ts'
import { ReaderProcess } from '../../packages/cache/test/reader-process.ts'
import type { Figure } from '../figure.ts'
import { countFigure, inTurns } from '../turns.ts'

const processes = 4
const callers = 1_000
const loadMs = 100

interface Fleet {
  readonly name: string
  readonly readers: readonly ReaderProcess[]
}

/** How often a key that nobody has is loaded when all ask for it at once. */
export async function coldLoads(rounds: number): Promise<Figure[]> {
  await using redis = await startRedis()
  const fleets: Fleet[] = []
  for (const peer of allPeers) fleets.push(await startFleet(peer, redis.url))
  const turns = await inTurns(fleets, rounds, loadsOfOneKey)
  await Promise.all(fleets.flatMap(({ readers }) => readers.map((reader) => reader.kill())))
  const what = `loads of a cold key, ${processes} processes with ${callers.toLocaleString('en')} callers each`
  const told = { id: 'cold-loads', what, aim: '<= 1', unit: 'loads' }
  return [countFigure(told, turns, (loads) => Math.max(...loads))]
}

async function startFleet(peer: Peer, redis: string): Promise<Fleet> {
  const cacheName = keyPrefix('cold')
  const readers = await Promise.all(
    Array.from({ length: processes }, () => ReaderProcess.start(redis, cacheName, { peer: peer.name })),
  )
  // Connected, and with its code compiled.
  for (const reader of readers) await reader.read({ key: 'warm up', row: 'row' })
  return { name: peer.name, readers }
}

async function loadsOfOneKey({ name, readers }: Fleet, round: number): Promise<number> {
  const before = await loadsOf(readers)
  const order = { key: `cold ${round}`, row: `row ${round}`, loadMs, callers }
  const replies = await Promise.all(readers.map((reader) => reader.read(order)))
  const wrong = replies.find(({ served }) => served.join() !== order.row)
  if (wrong) throw new Error(`${name} served ${wrong.served.join()}`)
  return (await loadsOf(readers)) - before
}

async function loadsOf(readers: readonly ReaderProcess[]): Promise<number> {
  const replies = await Promise.all(readers.map((reader) => reader.read({ key: 'warm up', row: 'row' })))
  return replies.reduce((sum, { loads }) => sum + loads, 0)
}
