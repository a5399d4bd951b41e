import { Batches } from '@stepladder/core'
import { describe, expect, test } from 'vitest'

/** Answers each number with its double, and remembers what was asked together. */
function doubling(options?: ConstructorParameters<typeof Batches>[1]) {
  const calls: (readonly number[])[] = []
  const batches = new Batches<number, number>(async (asked) => {
    calls.push(asked)
    return asked.map((n) => n * 2)
  }, options)
  return { calls, batches }
}

describe('batches', () => {
  test('ask together what is asked in one turn, and give each its own answer', async () => {
    const { calls, batches } = doubling()

    const answers = await Promise.all([1, 2, 3].map((n) => batches.ask(n)))

    expect(answers).toEqual([2, 4, 6])
    expect(calls).toEqual([[1, 2, 3]])
  })

  test('take along what the microtasks of the turn ask', async () => {
    const { calls, batches } = doubling()
    const later = Promise.resolve().then(() => batches.ask(2))

    await Promise.all([batches.ask(1), later])

    expect(calls).toEqual([[1, 2]])
  })

  test.each(['turn', 'poll'] as const)('that wait for the %s take along no more than that', async (until) => {
    const { calls, batches } = doubling({ until })
    const ofAnotherEvent = new Promise<number>((resolve) => {
      // Runs after the ticks of this turn, and before the immediates that were asked for after it.
      setImmediate(() => resolve(batches.ask(2)))
    })

    await Promise.all([batches.ask(1), ofAnotherEvent])

    expect(calls).toEqual(until === 'turn' ? [[1], [2]] : [[1, 2]])
  })

  test('ask for no more at once than they may', async () => {
    const { calls, batches } = doubling({ most: 2 })

    await Promise.all([1, 2, 3, 4, 5].map((n) => batches.ask(n)))

    expect(calls).toEqual([[1, 2], [3, 4], [5]])
  })

  test('ask anew while an answer is under way', async () => {
    const { calls, batches } = doubling()
    await batches.ask(1)
    await batches.ask(1)

    expect(calls).toEqual([[1], [1]])
  })

  test('tell everybody of a batch what it failed with, and go on', async () => {
    let isBroken = true
    const batches = new Batches<number, number>(async (asked) => {
      if (isBroken) throw new Error('broken')
      return asked
    })

    const failed = await Promise.allSettled([batches.ask(1), batches.ask(2)])
    isBroken = false

    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await batches.ask(3)).toBe(3)
  })
})
