import { chown, mkdtemp, readdir, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRunning } from './process-table.ts'
import { canReach, serverUser } from './server-user.ts'

/** A new folder that names its owner's process, so that `sweepTempFolders` can tell when nobody needs it. */
export async function makeTempFolder(purpose: string): Promise<string> {
  const folder = await mkdtemp(join(tempRoot(), `${ownPrefix()}${process.pid}-${purpose}-`))
  const user = serverUser()
  if (user) await chown(folder, user.uid, user.gid)
  return folder
}

/** Removes the folders of processes that ended without doing so, such as those killed by SIGKILL. */
export async function sweepTempFolders(): Promise<void> {
  const prefix = ownPrefix()
  for (const name of await readdir(tempRoot())) {
    if (!name.startsWith(prefix)) continue
    const owner = Number.parseInt(name.slice(prefix.length), 10)
    // Another run may be sweeping the same folder, and some folders are another user's.
    if (!(await isRunning(owner)))
      await rm(join(tempRoot(), name), { recursive: true, force: true }).catch(() => {})
  }
}

/** The system's folder for temporary files, or `/tmp` where the servers' user cannot reach that. */
export function tempRoot(): string {
  return canReach(tmpdir()) ? tmpdir() : '/tmp'
}

// With the machine's name, because containers that share a folder do not share process numbers.
function ownPrefix(): string {
  return `stepladder-${hostname()}-`
}
