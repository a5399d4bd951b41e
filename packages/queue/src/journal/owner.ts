import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'

/** Whether who writes into a folder still runs; `unknown` when that is where we cannot look. */
export type OwnerState = 'alive' | 'dead' | 'unknown'

/**
 * A name for a new folder of this process, which tells who writes into it: process id, when that process
 * started (process ids are used again), and the machine's boot and process namespace (two containers both
 * have a process 1).
 */
export function newFolderName(): string {
  return [process.pid, startOf(process.pid), processSpace(), randomUUID().slice(0, 8)].join('.')
}

/** A name for a folder that its owner has left; anyone may take it over. */
export function abandonedFolderName(): string {
  return `left.${randomUUID()}`
}

/** Whether the owner of the folder of that name still runs. */
export function ownerState(folderName: string): OwnerState {
  const [pid = '', startedAt = '', space = ''] = folderName.split('.')
  if (pid === 'left') return 'dead'
  if (space !== processSpace()) return 'unknown'
  return startOf(Number(pid)) === startedAt ? 'alive' : 'dead'
}

/** When the process started, in a form that only serves to compare; empty when there is no such process. */
function startOf(pid: number): string {
  try {
    if (process.platform === 'linux') {
      // Field 22; the second one, the program's name, may hold spaces and brackets.
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
    }
    process.kill(pid, 0)
    if (process.platform === 'win32') return 'unknown'
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'latin1' }).replace(/\W/g, '')
  } catch {
    return ''
  }
}

function processSpace(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8)
    return `${boot}-${readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')}`
  } catch {
    return 'here'
  }
}
