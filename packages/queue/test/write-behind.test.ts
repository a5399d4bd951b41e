import { FakeClock, RecordedReports } from '@stepladder/core/testing'
import { createWriteBehind, InvalidRowError, QueueClosedError, QueueFullError } from '@stepladder/queue'
import { RecordingSink } from '@stepladder/queue/testing'
import { expect, onTestFinished, test, vi } from 'vitest'
import { tempFolder } from './set-up.ts'

interface Reading {
  id: number
  at?: Date
  raw?: Uint8Array
  total?: bigint
  share?: number
  tags?: string[]
}

test('a row that was accepted reaches the sink', async () => {
  const { queue, recording } = await setUp()
  await queue.write({ id: 1 })
  await queue.flush()
  expect(recording.rows).toEqual([{ id: 1 }])
})

test('rows that arrive while a batch is handed over travel together in the next, in order', async () => {
  const { queue, recording } = await setUp()
  const numbers = Array.from({ length: 1_000 }, (_, id) => id)
  await Promise.all(numbers.map((id) => queue.write({ id })))
  await queue.flush()
  expect(recording.rows.map(({ id }) => id)).toEqual(numbers)
  expect(recording.batches.length).toBeLessThan(10)
})

test('no batch has more than maxBatchRows, also when one call brings more', async () => {
  const { queue, recording } = await setUp({ maxBatchRows: 30 })
  await queue.write(Array.from({ length: 100 }, (_, id) => ({ id })))
  await queue.flush()
  expect(recording.batches.map(({ rows }) => rows.length)).toEqual([30, 30, 30, 10])
})

test('with a linger, a row waits for company that long', async () => {
  const clock = new FakeClock()
  const { queue, recording } = await setUp({ linger: '50ms', clock })
  const first = queue.write({ id: 1 })
  await clock.advance(40)
  const second = queue.write({ id: 2 })
  expect(recording.batches).toEqual([])
  await clock.advance(10)
  await Promise.all([first, second])
  await queue.flush()
  expect(recording.batches.map(({ rows }) => rows.length)).toEqual([2])
})

test('dates, bytes, bigints and numbers beyond JSON arrive as what they were', async () => {
  const { queue, recording } = await setUp()
  const row: Reading = {
    ...{ id: 1, at: new Date(1_700_000_000_000), raw: Buffer.from([0, 255]), total: 2n ** 70n },
    ...{ share: Number.POSITIVE_INFINITY, tags: ['a', 'b'] },
  }
  await queue.write(row)
  await queue.flush()
  expect(recording.rows).toEqual([row])
})

test('a row travels as it was when it was written', async () => {
  const { queue, recording } = await setUp()
  const row = { id: 1 }
  const accepted = queue.write(row)
  row.id = 2
  await accepted
  await queue.flush()
  expect(recording.rows).toEqual([{ id: 1 }])
})

test('a row that is not plain data is refused alone', async () => {
  const { queue, recording } = await setUp()
  const loop: { id: number; self?: unknown } = { id: 1 }
  loop.self = [loop]
  const neighbour = queue.write({ id: 2 })
  await expect(queue.write(loop)).rejects.toThrow(InvalidRowError)
  await neighbour
  await queue.flush()
  expect(recording.rows).toEqual([{ id: 2 }])
})

test('more than maxPendingRows waiting rows are refused, as a 503 with Retry-After', async () => {
  const { queue, recording } = await setUp({ maxPendingRows: 10 })
  const accepted = queue.write(Array.from({ length: 10 }, (_, id) => ({ id })))
  const refused = queue.write({ id: 10 })
  await expect(refused).rejects.toThrow(QueueFullError)
  await expect(refused).rejects.toMatchObject({ status: 503, headers: { 'Retry-After': '1' } })
  await accepted
  await queue.write({ id: 11 })
  await queue.flush()
  expect(recording.rows).toHaveLength(11)
})

test('every write is reported once, by how it ended', async () => {
  const { queue, reports } = await setUp({ maxPendingRows: 1 })
  const first = queue.write({ id: 1 })
  await queue.write({ id: 2 }).catch(() => {})
  await first
  await queue.close()
  await queue.write({ id: 3 }).catch(() => {})
  expect(reports.outcomes('write')).toEqual(['full', 'accepted', 'closed'])
  expect(reports.outcomes('close')).toEqual(['drained'])
})

test('closing brings what was accepted to the sink, and takes nothing more', async () => {
  const { queue, recording } = await setUp()
  const accepted = queue.write([{ id: 1 }, { id: 2 }])
  await queue.close()
  await accepted
  expect(recording.rows).toHaveLength(2)
  await expect(queue.write({ id: 3 })).rejects.toThrow(QueueClosedError)
})

test('closing while the database is away ends in time, and the rows are there at the next start', async () => {
  const { queue, recording, reports, directory } = await setUp({ drainWithin: 100 })
  recording.isDown = true
  await queue.write([{ id: 1 }, { id: 2 }])
  const startedAt = performance.now()
  await queue.close()
  expect(performance.now() - startedAt).toBeLessThan(1_500)
  expect(reports.outcomes('close')).toEqual(['left'])

  const next = await setUp({ directory })
  await expect.poll(() => next.recording.rows).toEqual([{ id: 1 }, { id: 2 }])
})

test('the journal refuses production unless it is meant', async () => {
  const directory = await tempFolder()
  const { sink } = new RecordingSink<Reading>()
  vi.stubEnv('NODE_ENV', 'production')
  onTestFinished(() => void vi.unstubAllEnvs())
  expect(() => createWriteBehind({ name: 'readings', directory, sink })).toThrow(/embedded: true/)
  await createWriteBehind({ name: 'readings', directory, sink, embedded: true }).close()
})

test('wrong options are refused at construction, by name', () => {
  const sink = async () => {}
  expect(() => createWriteBehind({ name: 'readings', sink })).toThrow(/"directory"/)
  expect(() => createWriteBehind({ name: 'a:b', sink, directory: '/tmp' })).toThrow(/"name"/)
  expect(() => createWriteBehind({ name: 'a', sink, directory: '/tmp', maxBatchRows: 0 })).toThrow(
    /"maxBatchRows"/,
  )
  const slip = { name: 'a', sink, directory: '/tmp', maxBatchRow: 5 }
  expect(() => createWriteBehind(slip)).toThrow(/did you mean "maxBatchRows"/)
})

async function setUp(options: Partial<Parameters<typeof createWriteBehind<Reading>>[0]> = {}) {
  const recording = new RecordingSink<Reading>()
  const reports = new RecordedReports()
  const directory = options.directory ?? (await tempFolder())
  const { sink } = recording
  const common = { name: 'readings', sink, report: reports.report }
  const queue = createWriteBehind<Reading>({ ...common, ...options, directory })
  onTestFinished(() => queue.close())
  return { queue, recording, reports, directory }
}
