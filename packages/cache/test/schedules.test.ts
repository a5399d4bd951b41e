import type { Bus } from '@stepladder/cache'
import { leaseless } from '@stepladder/cache/testing'
import { seeds } from '@stepladder/core/testing'
import { expect, test } from 'vitest'
import { type Guards, playScenario } from './model/scenario.ts'

const perSeed = 500

test.each(seeds(1))(
  `${perSeed} random interleavings over three nodes serve nothing that the contract forbids (seed %i)`,
  async (seed) => {
    expect(await violations(seed * perSeed, perSeed)).toEqual([])
  },
)

test('a seed plays the same scenario again', async () => {
  const guards = { store: leaseless }
  const found = await violations(0, 300, guards)
  expect(found.length).toBeGreaterThan(0)
  expect(await violations(0, 300, guards)).toEqual(found)
})

test('the control arm: with the lease off, the same interleavings serve old values', async () => {
  expect((await violations(0, 300, { store: leaseless })).length).toBeGreaterThan(0)
})

test('the control arm: with a bus that knows of no gap, they do too', async () => {
  const blind = (bus: Bus): Bus => ({
    heardUntil: Number.POSITIVE_INFINITY,
    publish: (invalidation) => bus.publish(invalidation),
    subscribe: ({ onInvalidation }) => bus.subscribe({ onInvalidation, onGap: () => {} }),
    close: () => bus.close(),
  })
  expect((await violations(0, 300, { bus: blind })).length).toBeGreaterThan(0)
})

async function violations(first: number, count: number, guards: Guards = {}): Promise<string[]> {
  const found: string[] = []
  for (let seed = first; seed < first + count; seed++) {
    const { violations, story } = await playScenario(seed, guards)
    if (violations.length > 0) found.push([`scenario ${seed}`, ...violations, ...story].join('\n'))
  }
  return found
}
