import { SingleFlight } from '@stepladder/core'
import { expect, test } from 'vitest'

test('callers of one key share one call and its answer', async () => {
  const flights = new SingleFlight<number>()
  let calls = 0
  const call = () => flights.run('ada', async () => ++calls)
  expect(await Promise.all([call(), call(), call()])).toEqual([1, 1, 1])
  expect(await call()).toBe(2)
})

test('one failure is one call, and every caller hears it', async () => {
  const flights = new SingleFlight<number>()
  let calls = 0
  const call = () => flights.run('ada', () => Promise.reject(new Error(`failure ${++calls}`)))
  const outcomes = await Promise.allSettled([call(), call()])
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected'])
  expect(calls).toBe(1)
})

test('whoever asks after forget() starts a call of their own, which outlives the older one', async () => {
  const flights = new SingleFlight<string>()
  const old = Promise.withResolvers<string>()
  const young = Promise.withResolvers<string>()
  const first = flights.run('ada', () => old.promise)
  flights.forget('ada')
  const second = flights.run('ada', () => young.promise)
  old.resolve('old')
  await first
  const third = flights.run('ada', () => Promise.resolve('a call too many'))
  young.resolve('young')
  expect([await first, await second, await third]).toEqual(['old', 'young', 'young'])
})
