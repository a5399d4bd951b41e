import { readdir, readFile } from 'node:fs/promises'
import { platform } from 'node:os'
import { runProgram } from './run-program.ts'

/** The numbers of the processes that `pid` started and that still run. */
export async function childrenOf(pid: number): Promise<number[]> {
  const processes = platform() === 'linux' ? await listFromProc() : await listFromPs()
  return processes.filter(({ parent }) => parent === pid).map((process) => process.pid)
}

interface ProcessEntry {
  readonly pid: number
  readonly parent: number
}

/** Read here rather than asked of `ps`, which small containers lack. */
async function listFromProc(): Promise<ProcessEntry[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')))
  // The second field is the program's name in brackets, and may hold anything, brackets and blanks too.
  return stats.filter(Boolean).map((stat) => ({
    pid: Number.parseInt(stat, 10),
    parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]),
  }))
}

async function listFromPs(): Promise<ProcessEntry[]> {
  const lines = (await runProgram('ps', ['-A', '-o', 'pid=,ppid='])).trim().split('\n')
  return lines.map((line) => {
    const [pid, parent] = line.trim().split(/\s+/).map(Number)
    return { pid: pid!, parent: parent! }
  })
}
