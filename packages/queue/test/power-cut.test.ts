import { type FileHandle, mkdir, open, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createWriteBehind } from '@stepladder/queue'
import { RecordingSink } from '@stepladder/queue/testing'
import { expect, onTestFinished, test } from 'vitest'
import type { Event } from './events-database.ts'
import { tempFolder } from './set-up.ts'

test('after a power cut every acknowledged row is there', async () => {
  const { acknowledged, found } = await cutThePower({ isHonest: true })
  expect(acknowledged.length).toBeGreaterThan(50)
  expect(acknowledged.filter((id) => !found.has(id))).toEqual([])
})

test('control: where acknowledging does not wait for the disk, a power cut loses rows', async () => {
  const { acknowledged, found } = await cutThePower({ isHonest: false })
  expect(acknowledged.filter((id) => !found.has(id)).length).toBeGreaterThan(0)
})

/**
 * A power cut leaves of each file what had been synced by then. Node's own `datasync` is watched for that;
 * in the control arm it only claims to have synced.
 */
async function cutThePower({ isHonest }: { isHonest: boolean }) {
  const directory = await tempFolder()
  const synced = await watchSyncs(isHonest)
  const recording = new RecordingSink<Event>()
  recording.isDown = true
  const queue = createWriteBehind<Event>({ name: 'events', directory, sink: recording.sink, drainWithin: 0 })
  const acknowledged: string[] = []
  let isOver = false
  const writers = Array.from({ length: 8 }, async (_, writer) => {
    for (let number = 0; !isOver; number++) {
      const id = `${writer}-${number}`
      await queue.write({ id, value: number })
      if (!isOver) acknowledged.push(id)
    }
  })
  await new Promise((resolve) => setTimeout(resolve, 300))
  isOver = true
  const atTheCut = new Map(synced)
  await Promise.all(writers)
  const image = await copySynced(join(directory, 'events'), atTheCut)
  await queue.close()
  return { acknowledged, found: await idsIn(image) }
}

/** Bytes of each file, by inode, that were on disk when its last sync ended. */
async function watchSyncs(isHonest: boolean): Promise<Map<number, number>> {
  const handle = await open(join(await tempFolder(), 'any'), 'w')
  // All file handles share one prototype, which Node does not export.
  const prototype = Object.getPrototypeOf(handle) as Pick<FileHandle, 'datasync'>
  await handle.close()
  const { datasync } = prototype
  const synced = new Map<number, number>()
  prototype.datasync = async function (this: FileHandle) {
    if (!isHonest) return
    const { ino, size } = await this.stat()
    await datasync.call(this)
    synced.set(ino, size)
  }
  onTestFinished(() => {
    prototype.datasync = datasync
  })
  return synced
}

async function copySynced(from: string, synced: ReadonlyMap<number, number>): Promise<string> {
  const image = await tempFolder()
  const files = (await readdir(from, { recursive: true })).filter((file) => file.endsWith('.segment'))
  for (const file of files) {
    const { ino } = await stat(join(from, file))
    const folder = join(image, 'events', `left.${file.split(/[\\/]/)[0]}`)
    await mkdir(folder, { recursive: true })
    const bytes = (await readFile(join(from, file))).subarray(0, synced.get(ino) ?? 0)
    await writeFile(join(folder, file.split(/[\\/]/).at(-1)!), bytes)
  }
  return image
}

async function idsIn(directory: string): Promise<Set<string>> {
  const recording = new RecordingSink<Event>()
  const queue = createWriteBehind<Event>({ name: 'events', directory, sink: recording.sink })
  await new Promise((resolve) => setTimeout(resolve, 200))
  await expect.poll(async () => (await queue.stats()).pendingRows).toBe(0)
  await queue.close()
  return new Set(recording.rows.map(({ id }) => id))
}
