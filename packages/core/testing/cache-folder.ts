import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'

/** Where fetched programs are kept between runs: `$STEPLADDER_CACHE`, or `~/.cache/stepladder`. */
export function cacheFolder(): string {
  return process.env.STEPLADDER_CACHE ?? join(homedir(), '.cache', 'stepladder')
}

/**
 * The folder `target`, filled by `fill` if it does not exist yet. `fill` works on a folder beside it that
 * gets its name when complete: so nobody ever sees half of it, and of two who fill it at once one wins.
 */
export async function filledOnce(target: string, fill: (folder: string) => Promise<void>): Promise<string> {
  if (await exists(target)) return target
  await mkdir(join(target, '..'), { recursive: true })
  const work = await mkdtemp(join(target, '..', `.${basename(target)}-`))
  const folder = join(work, 'content')
  try {
    await mkdir(folder)
    await fill(folder)
    await rename(folder, target)
  } catch (failure) {
    if (!(await exists(target))) throw failure
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return target
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
