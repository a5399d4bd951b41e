import { type SharedRedis, sharedRedis } from '@stepladder/core/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { allFailures } from './failures/all-failures.ts'
import { others } from './peers/all-peers.ts'
import { stepladder } from './peers/stepladder.ts'

let redis: SharedRedis
beforeAll(async () => {
  redis = await sharedRedis()
})

// They wait much more than they compute.
describe.concurrent.each(allFailures)('wrong answers after $id', ({ play, needsTags = false }) => {
  test('ours gives none', async () => {
    expect(await play(stepladder, redis)).toBe(0)
  })

  test('the control arm: at least one of the peers gives some', async () => {
    const peers = others.filter(({ hasTags }) => hasTags || !needsTags)
    const wrong = await Promise.all(peers.map((peer) => play(peer, redis)))
    expect(Math.max(...wrong)).toBeGreaterThan(0)
  }, 60_000)
})
