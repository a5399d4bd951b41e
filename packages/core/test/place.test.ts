import { sleep } from '@stepladder/core'
import { expect, test } from 'vitest'
import { Place } from '../src/cluster/place.ts'
import type { WorkerHandle } from '../src/cluster/worker-handle.ts'

/** Of a worker a place looks at nothing but how long it lived. */
const worker = (livedMs = 0) => ({ livedMs }) as WorkerHandle

function setUp() {
  const place = new Place(0)
  const restarts: string[] = []
  const restart = (name: string) => place.restart(10, () => restarts.push(name))
  return { place, restarts, restart }
}

test('whoever is in charge, nobody else is started for the place any more', async () => {
  const { place, restarts, restart } = setUp()
  restart('after a death')
  place.occupy(worker())
  await sleep(50)
  expect(restarts).toEqual([])
})

test('control: where nobody has come, one is started', async () => {
  const { restarts, restart } = setUp()
  restart('after a death')
  await sleep(50)
  expect(restarts).toEqual(['after a death'])
})

test('a successor relieves who is in charge at that time, not who was when it was started', () => {
  const { place } = setUp()
  const [first, second, successor] = [worker(), worker(), worker()]
  place.occupy(first)
  place.occupy(second)
  expect(place.settle(successor)).toBe(second)
  expect(place.worker).toBe(successor)
})

test('a successor that came up lets bygone deaths be bygones', () => {
  const { place } = setUp()
  const others = { othersLive: false, hasServed: false }
  for (let death = 1; death <= 4; death++) place.decide(worker(), others)
  place.settle(worker())
  expect(place.decide(worker(), others)).toEqual({ kind: 'restart', afterMs: 0 })
  expect(place.deaths).toBe(5)
})
