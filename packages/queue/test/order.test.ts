import { sleep } from '@stepladder/core'
import { keyPrefix, sharedRedis } from '@stepladder/core/testing'
import { createWriteBehind } from '@stepladder/queue'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import type { Event } from './events-database.ts'

test('two processes that share a queue apply it in order, however long each batch takes', async () => {
  expect(await orderOfApplying(await openTwo())).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
})

test('control: without the limit of one batch at a time, a later batch overtakes', async () => {
  const two = await openTwo()
  const redis = new Redis((await sharedRedis()).url)
  onTestFinished(() => redis.disconnect())
  await redis.hdel(`{stepladder:queue:v1:${two.name}}:${two.name}:meta`, 'concurrency')
  expect(await orderOfApplying(two)).not.toEqual([0, 1, 2, 3, 4, 5, 6, 7])
})

test('two processes hand a queue to each other without pauses', async () => {
  const { queues } = await openTwo()
  const startedAt = performance.now()
  for (let number = 0; number < 50; number++) {
    await queues[number % 2]!.write({ id: '2', value: number })
    await queues[0]!.flush(AbortSignal.timeout(10_000))
  }
  expect(performance.now() - startedAt).toBeLessThan(8_000)
})

interface Two {
  readonly name: string
  readonly queues: ReturnType<typeof createWriteBehind<Event>>[]
  readonly applied: number[]
}

/** Two queues as two processes would open them; every second batch takes long. */
async function openTwo(): Promise<Two> {
  const { url } = await sharedRedis()
  const name = keyPrefix('order')
  const applied: number[] = []
  const sink = async ({ rows }: { rows: readonly Event[] }) => {
    const { id, value } = rows[0]!
    if (id === '0') await sleep(100)
    applied.push(value)
  }
  const queues = [1, 2].map(() => createWriteBehind<Event>({ name, redis: url, sink, maxBatchRows: 1 }))
  for (const queue of queues) onTestFinished(() => queue.close())
  await queues[0]!.write({ id: '1', value: -1 })
  await queues[1]!.write({ id: '1', value: -1 })
  await queues[0]!.flush(AbortSignal.timeout(10_000))
  applied.length = 0
  return { name, queues, applied }
}

async function orderOfApplying({ queues, applied }: Two): Promise<number[]> {
  const [first] = queues
  for (let number = 0; number < 8; number++) await first!.write({ id: String(number % 2), value: number })
  await expect.poll(() => applied.length, { timeout: 15_000 }).toBe(8)
  return applied
}
