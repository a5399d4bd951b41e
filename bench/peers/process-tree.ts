import { readdirSync, readFileSync } from 'node:fs'

/** All processes below `pid`: what it started, what those started, and so on. */
export function descendantsOf(pid: number): number[] {
  const children = threadsOf(pid).flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).split(' '))
  const pids = children.filter(Boolean).map(Number)
  return pids.flatMap((child) => [child, ...descendantsOf(child)])
}

/** The time that the processes have spent on a core, all their threads included, by Linux's own account of it. */
export function cpuMicros(pids: readonly number[]): number {
  let nanos = 0
  for (const pid of pids) {
    for (const thread of threadsOf(pid)) {
      nanos += Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0])
    }
  }
  return nanos / 1_000
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

/** Empty where the process or thread has just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
