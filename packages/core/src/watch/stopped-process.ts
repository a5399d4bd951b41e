import { readFileSync } from 'node:fs'

/** Whether a process was stopped as a whole (SIGSTOP) and not continued; false where the system does not tell. */
export function isStopped(pid: number | undefined): boolean {
  if (pid === undefined || process.platform !== 'linux') return false
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in brackets, and may hold anything; the third is the state.
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')
  } catch {
    // It is gone, which is told by its exit.
    return false
  }
}
