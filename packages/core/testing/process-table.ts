import { readdir, readFile } from 'node:fs/promises'
import { platform } from 'node:os'
import { runProgram } from './run-program.ts'

/** The numbers of the processes that `pid` started and that still run. */
export async function childrenOf(pid: number): Promise<number[]> {
  const table = platform() === 'linux' ? await readProc(await allInProc()) : await askPs()
  return table.filter((entry) => entry.parent === pid && isAlive(entry)).map((entry) => entry.pid)
}

/** Whether `pid` runs. One that ended does not, even if nobody has collected its exit code. */
export async function isRunning(pid: number): Promise<boolean> {
  const table = platform() === 'linux' ? await readProc([pid]) : await askPs()
  return table.some((entry) => entry.pid === pid && isAlive(entry))
}

interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  /** One letter; `Z` is a process that ended and whose parent has not asked how. */
  readonly state: string
}

function isAlive({ state }: ProcessEntry): boolean {
  return state !== 'Z'
}

async function allInProc(): Promise<number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
}

/** Read here rather than asked of `ps`, which small containers lack. */
async function readProc(pids: readonly number[]): Promise<ProcessEntry[]> {
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')))
  return stats.filter(Boolean).map((stat) => {
    // The second field is the program's name in brackets, and may hold anything, brackets and blanks too.
    const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { pid: Number.parseInt(stat, 10), parent: Number(parent), state }
  })
}

async function askPs(): Promise<ProcessEntry[]> {
  const lines = (await runProgram('ps', ['-A', '-o', 'pid=,ppid=,state='])).trim().split('\n')
  return lines.map((line) => {
    const [pid, parent, state = ''] = line.trim().split(/\s+/)
    return { pid: Number(pid), parent: Number(parent), state: state.slice(0, 1) }
  })
}
