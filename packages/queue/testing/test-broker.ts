import { afterEach, describe, expect, test } from 'vitest'
import { makeBatchId } from '../src/batch-id.ts'
import type { Broker, QueuedBatch } from '../src/broker.ts'
import { QueueClosedError } from '../src/errors.ts'

/** A place where brokers meet: what one of them left there, the next one finds. */
export interface BrokerPlace {
  open(): Broker
}

/** What every broker must do. Call it in a test file; `make` is asked for a new place for each test. */
export function testBroker(name: string, make: () => Promise<BrokerPlace>): void {
  describe(`${name} keeps the contract of a broker`, () => {
    const opened: Broker[] = []
    const openIn = (place: BrokerPlace) => {
      const broker = place.open()
      opened.push(broker)
      return broker
    }
    afterEach(() => Promise.all(opened.splice(0).map((broker) => broker.close())))

    test('batches are applied in the order of their acceptance', async () => {
      const broker = openIn(await make())
      const applied = startApplying(broker)
      const batches = makeBatches(20)
      for (const batch of batches) await broker.enqueue(batch)
      await broker.flushed(soon())
      expect(applied).toEqual(batches)
    })

    test('a batch that fails is applied again, before those behind it', async () => {
      const broker = openIn(await make())
      const [first, second] = makeBatches(2) as [QueuedBatch, QueuedBatch]
      const tried: string[] = []
      broker.consume(async ({ id }) => {
        tried.push(id)
        if (tried.length === 1) throw new Error('The database is down')
      })
      await broker.enqueue(first)
      await broker.enqueue(second)
      await broker.flushed(soon())
      expect(tried).toEqual([first.id, first.id, second.id])
    })

    test('the backlog counts rows until they are applied, and tells since when they wait', async () => {
      const broker = openIn(await make())
      await broker.enqueue({ id: makeBatchId(5_000, 3), body: '[1,2,3]' })
      await broker.enqueue({ id: makeBatchId(6_000, 4), body: '[1,2,3,4]' })
      expect(await broker.backlog()).toEqual({ rows: 7, oldestAt: 5_000 })
      startApplying(broker)
      await broker.flushed(soon())
      expect(await broker.backlog()).toEqual({ rows: 0, oldestAt: undefined })
    })

    test('what was not applied before closing is applied by the next broker', async () => {
      const place = await make()
      const before = openIn(place)
      const batches = makeBatches(3)
      for (const batch of batches) await before.enqueue(batch)
      await before.close()

      const applied = startApplying(openIn(place))
      await expect.poll(() => applied, { timeout: 15_000 }).toEqual(batches)
    })

    test('the same batch handed over twice is applied under the same name', async () => {
      const broker = openIn(await make())
      const [batch] = makeBatches(1) as [QueuedBatch]
      await broker.enqueue(batch)
      await broker.enqueue(batch)
      const applied = startApplying(broker)
      await broker.flushed(soon())
      expect(new Set(applied.map(({ id }) => id))).toEqual(new Set([batch.id]))
    })

    test('waiting for the database ends when its signal says so', async () => {
      const broker = openIn(await make())
      for (const batch of makeBatches(1)) await broker.enqueue(batch)
      await expect(broker.flushed(AbortSignal.timeout(50))).rejects.toThrow()
    })

    test('a closed broker accepts nothing', async () => {
      const broker = openIn(await make())
      await broker.close()
      await expect(broker.enqueue(makeBatches(1)[0]!)).rejects.toThrow(QueueClosedError)
    })
  })
}

function startApplying(broker: Broker): QueuedBatch[] {
  const applied: QueuedBatch[] = []
  broker.consume(async ({ id, body }) => void applied.push({ id, body }))
  return applied
}

function makeBatches(count: number): QueuedBatch[] {
  return Array.from({ length: count }, (_, index) => ({
    id: makeBatchId(Date.now(), 1),
    body: `[{"index":${index}}]`,
  }))
}

function soon(): AbortSignal {
  return AbortSignal.timeout(15_000)
}
