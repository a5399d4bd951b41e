import { statSync } from 'node:fs'
import { dirname } from 'node:path'

export interface ServerUser {
  readonly uid: number
  readonly gid: number
}

/** Whom Postgres runs as: it refuses to run as root, so then it runs as nobody. Undefined: as we do. */
export function serverUser(): ServerUser | undefined {
  return process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined
}

/** Whether `serverUser()` may pass through every folder on the way to `path`, and enter it if it is one. */
export function canReach(path: string): boolean {
  if (!serverUser()) return true
  for (let step = path; ; step = dirname(step)) {
    const isOpenToAll = (statSync(step).mode & 0o001) !== 0
    if (!isOpenToAll) return false
    if (step === dirname(step)) return true
  }
}
