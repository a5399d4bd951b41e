import { startRedis } from '@stepladder/core/testing'
import { allFailures } from '../../packages/cache/test/failures/all-failures.ts'
import type { Failure } from '../../packages/cache/test/failures/failure.ts'
import { allPeers } from '../../packages/cache/test/peers/all-peers.ts'
import { bentocacheTuned } from '../../packages/cache/test/peers/bentocache.ts'
import type { Figure, Measurement } from '../figure.ts'
import { countFigure } from '../turns.ts'

/** They are the same each time, and take seconds. */
const mostRounds = 3

/** What a cache serves that is wrong, when something goes wrong around it: ours and the peers'. */
export const losses: Readonly<Record<string, Measurement>> = Object.fromEntries(
  allFailures.map((failure) => [failure.id, (rounds) => play(failure, rounds)]),
)

async function play({ id, what, needsTags = false, play }: Failure, rounds: number): Promise<Figure[]> {
  await using redis = await startRedis()
  const peers = [...allPeers, bentocacheTuned].filter(({ hasTags }) => hasTags || !needsTags)
  const wrong = new Map<string, number[]>(peers.map(({ name }) => [name, []]))
  for (let round = 1; round <= Math.min(rounds, mostRounds); round++) {
    // Side by side: they wait much more than they compute.
    await Promise.all(peers.map(async (peer) => wrong.get(peer.name)!.push(await play(peer, redis))))
  }
  const told = { id, what, aim: '<= 0', unit: 'wrong answers' }
  return [countFigure(told, wrong, (counted) => Math.max(...counted))]
}
