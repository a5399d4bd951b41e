import { deepEqual, equal, rejects } from 'node:assert/strict'
import { sleep } from '@stepladder/core'
import { makeBatchId } from '../src/batch-id.ts'
import type { Broker, QueuedBatch } from '../src/broker.ts'
import { QueueClosedError } from '../src/errors.ts'

/** A place where brokers meet: what one of them left there, the next one finds. Empty at first. */
export interface BrokerPlace {
  open(): Broker
}

export interface BrokerTools {
  /** The `test` of the runner in use: vitest, Jest and node:test all fit. */
  readonly test: (title: string, run: () => Promise<void>) => unknown
}

/** What every `Broker` promises, as one test each; `make` is asked for a place for each of them. */
export function testBroker(
  name: string,
  make: () => BrokerPlace | Promise<BrokerPlace>,
  { test }: BrokerTools,
): void {
  for (const [promise, check] of Object.entries({ ...applying, ...accepting })) {
    test(`${name}: ${promise}`, async () => {
      const place = await make()
      const opened: Broker[] = []
      const open = () => {
        const broker = place.open()
        opened.push(broker)
        return broker
      }
      await check(open).finally(() => Promise.all(opened.map((broker) => broker.close())))
    })
  }
}

type Promises = Readonly<Record<string, (open: () => Broker) => Promise<void>>>

const applying: Promises = {
  async 'batches are applied in the order of their acceptance'(open) {
    const broker = open()
    const applied = startApplying(broker)
    const batches = makeBatches(20)
    for (const batch of batches) await broker.enqueue(batch)
    await broker.flushed(soon())
    deepEqual(applied, batches)
  },

  async 'a batch that fails is applied again, before those behind it'(open) {
    const broker = open()
    const [first, second] = makeBatches(2)
    const tried: string[] = []
    broker.consume(async ({ id }) => {
      tried.push(id)
      if (tried.length === 1) throw new Error('The database is down')
    })
    await broker.enqueue(first!)
    await broker.enqueue(second!)
    await broker.flushed(soon())
    deepEqual(tried, [first!.id, first!.id, second!.id])
  },

  async 'what was not applied before closing is applied by the next broker'(open) {
    const before = open()
    const batches = makeBatches(3)
    for (const batch of batches) await before.enqueue(batch)
    await before.close()

    const applied = startApplying(open())
    for (const signal = soon(); applied.length < 3; ) await sleep(10, { signal })
    deepEqual(applied, batches)
  },
}

const accepting: Promises = {
  async 'the backlog counts rows until they are applied, and tells since when they wait'(open) {
    const broker = open()
    await broker.enqueue({ id: makeBatchId(5_000, 3), body: '[1,2,3]' })
    await broker.enqueue({ id: makeBatchId(6_000, 4), body: '[1,2,3,4]' })
    deepEqual(await broker.backlog(), { rows: 7, oldestAt: 5_000 })
    startApplying(broker)
    await broker.flushed(soon())
    deepEqual(await broker.backlog(), { rows: 0, oldestAt: undefined })
  },

  async 'the same batch handed over twice is applied under the same name'(open) {
    const broker = open()
    const [batch] = makeBatches(1)
    await broker.enqueue(batch!)
    await broker.enqueue(batch!)
    const applied = startApplying(broker)
    await broker.flushed(soon())
    deepEqual(new Set(applied.map(({ id }) => id)), new Set([batch!.id]))
  },

  async 'waiting for the database ends when its signal says so'(open) {
    const broker = open()
    await broker.enqueue(makeBatches(1)[0]!)
    const signal = AbortSignal.timeout(50)
    await rejects(broker.flushed(signal))
    equal(signal.aborted, true)
  },

  async 'a closed broker accepts nothing'(open) {
    const broker = open()
    await broker.close()
    await rejects(broker.enqueue(makeBatches(1)[0]!), QueueClosedError)
  },
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
