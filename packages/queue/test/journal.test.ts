import { appendFile, mkdir, open, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RecordedReports, spawnNode } from '@stepladder/core/testing'
import { createWriteBehind } from '@stepladder/queue'
import { JournalBroker, makeBatchId, RecordingSink } from '@stepladder/queue/testing'
import { expect, onTestFinished, test } from 'vitest'
import type { VictimPlan } from './crash-victim.ts'
import type { Event } from './events-database.ts'
import { makeDatabase, tempFolder } from './set-up.ts'

test('a record torn by a crash is cut off, and those before it are applied', async () => {
  const directory = await tempFolder()
  const segment = await leaveSegment(directory, 3)
  const whole = await readFile(segment)
  await writeFile(segment, whole.subarray(0, whole.length - 5))
  expect(await rowsFoundIn(directory)).toEqual([0, 1])
})

test('zeros at the end of a segment, as a power cut can leave them, are cut off', async () => {
  const directory = await tempFolder()
  await appendFile(await leaveSegment(directory, 3), Buffer.alloc(4_096))
  expect(await rowsFoundIn(directory)).toEqual([0, 1, 2])
})

test('a damaged record in the middle costs itself only, is reported, and its file is kept', async () => {
  const directory = await tempFolder()
  const segment = await leaveSegment(directory, 3)
  const handle = await open(segment, 'r+')
  const { size } = await handle.stat()
  await handle.write('#', Math.floor(size / 2))
  await handle.close()
  const reports = new RecordedReports()
  expect(await rowsFoundIn(directory, reports)).toEqual([0, 2])
  expect(reports.outcomes('journal')).toContain('damaged')
  const files = await readdir(join(directory, 'events'), { recursive: true })
  expect(files.filter((file) => file.endsWith('.damaged'))).toHaveLength(1)
})

test('a living process takes over what a killed one left, without a restart', async () => {
  const { place } = await makeDatabase('sqlite')
  const directory = await tempFolder()
  const recording = new RecordingSink<Event>()
  const { sink } = recording
  const survivor = createWriteBehind<Event>({ name: 'events', directory, sink })
  onTestFinished(() => survivor.close())
  await survivor.write({ id: 'mine', value: 0 })
  await survivor.flush()

  const plan: VictimPlan = { name: 'events', directory, place, run: 'victim', rows: 2_000, dieAfterBatch: 3 }
  const victimFile = join(process.cwd(), 'packages/queue/test/crash-victim.ts')
  const execArgv = ['--conditions=@stepladder/source']
  await using victim = spawnNode(victimFile, { args: [JSON.stringify(plan)], execArgv })
  await victim.exited
  const accepted = [...victim.output.matchAll(/accepted (victim-\d+)\n/g)].map(([, id]) => id)
  expect(accepted.length).toBeGreaterThan(0)
  const isThere = (id: string | undefined) => recording.rows.some((row) => row.id === id)
  await expect.poll(() => accepted.every(isThere), { timeout: 10_000 }).toBe(true)
})

test('a process that was wrongly taken for dead loses nothing: it goes on in a new folder', async () => {
  const directory = await tempFolder()
  const isFenced = new JournalBroker({ name: 'events', directory, report: () => {} })
  await isFenced.enqueue(batchOf(0))
  const [folder] = await readdir(join(directory, 'events'))
  const taken = join(directory, 'events', 'left.by-mistake')
  await rename(join(directory, 'events', folder!), taken)
  await isFenced.enqueue(batchOf(1))

  const folders = await readdir(join(directory, 'events'))
  expect(folders).toHaveLength(2)
  await isFenced.close()
  expect(new Set(await rowsFoundIn(directory))).toEqual(new Set([0, 1]))
})

test('each of several starting processes leaves the others their folders', async () => {
  const directory = await tempFolder()
  const first = new JournalBroker({ name: 'events', directory, report: () => {} })
  onTestFinished(() => first.close())
  await first.enqueue(batchOf(0))
  expect(await rowsFoundIn(directory)).toEqual([])
  expect((await first.backlog()).rows).toBe(1)
})

test('an empty journal leaves no files behind', async () => {
  const directory = await tempFolder()
  await mkdir(directory, { recursive: true })
  expect(await rowsFoundIn(directory)).toEqual([])
  const { sink } = new RecordingSink<Event>()
  const queue = createWriteBehind<Event>({ name: 'events', directory, sink })
  await queue.write({ id: 'a', value: 1 })
  await queue.close()
  expect(await readdir(join(directory, 'events'))).toEqual([])
})

/** A journal of one segment with one row to each batch, whose owner is gone. */
async function leaveSegment(directory: string, batches: number): Promise<string> {
  const broker = new JournalBroker({ name: 'events', directory, report: () => {} })
  for (let value = 0; value < batches; value++) await broker.enqueue(batchOf(value))
  await broker.close()
  const [folder] = await readdir(join(directory, 'events'))
  const [file] = await readdir(join(directory, 'events', folder!))
  return join(directory, 'events', folder!, file!)
}

async function rowsFoundIn(directory: string, reports = new RecordedReports()): Promise<number[]> {
  const recording = new RecordingSink<Event>()
  const { sink } = recording
  const queue = createWriteBehind<Event>({ name: 'events', directory, sink, report: reports.report })
  await expect.poll(async () => (await queue.stats()).pendingRows).toBe(0)
  await new Promise((resolve) => setTimeout(resolve, 100))
  await queue.close()
  return recording.rows.map(({ value }) => value)
}

function batchOf(value: number): { id: string; body: string } {
  return { id: makeBatchId(Date.now(), 1), body: JSON.stringify([{ id: `row-${value}`, value }]) }
}
