import { readdir, rename, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { newFolderName, ownerState } from './owner.ts'
import { findSegments, type Segment } from './segments.ts'

/** A folder whose owner is gone, now this process's own. */
export interface AdoptedFolder {
  readonly path: string
  readonly segments: Segment[]
}

/** How long nobody may have written to a folder before an owner whom we cannot see is taken for dead. */
const idleMs = 60_000

/** Takes over the folders that dead processes left, oldest first. Each goes to one living process only. */
export async function adoptOrphans(directory: string): Promise<AdoptedFolder[]> {
  const adopted: AdoptedFolder[] = []
  for (const name of await readdir(directory).catch(() => [])) {
    if (!(await isOrphan(directory, name))) continue
    const path = join(directory, newFolderName())
    // Renaming decides who gets it. It comes before reading: see JournalWriter.
    const isOurs = await rename(join(directory, name), path).then(
      () => true,
      () => false,
    )
    if (isOurs) adopted.push({ path, segments: await findSegments(path) })
  }
  return adopted.toSorted((a, b) => oldestOf(a) - oldestOf(b))
}

/** Removes an adopted folder after its last segment; one that keeps damaged segments stays. */
export async function removeFolder({ path }: AdoptedFolder): Promise<void> {
  await rmdir(path).catch(() => {})
}

async function isOrphan(directory: string, name: string): Promise<boolean> {
  const state = ownerState(name)
  if (state !== 'unknown') return state === 'dead'
  const folder = join(directory, name)
  const files = await readdir(folder).catch(() => [])
  const touched = await Promise.all(
    [folder, ...files.map((file) => join(folder, file))].map((path) =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  )
  return Date.now() - Math.max(...touched) > idleMs
}

function oldestOf({ segments }: AdoptedFolder): number {
  return segments[0]?.oldestAt ?? 0
}
