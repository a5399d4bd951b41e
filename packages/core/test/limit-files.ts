import { execFileSync, spawnSync } from 'node:child_process'

/** Of util-linux: changes the limits of a process that runs. */
const limiter = 'prlimit'

/** Whether this machine has it. */
export const canLimitFiles: boolean = spawnSync(limiter, ['--version']).status === 0

/** From now on a process can open a file, or a socket, only while it has fewer of them than that. */
export function limitFiles(pid: number, most: number): void {
  execFileSync(limiter, ['--pid', String(pid), `--nofile=${most}:`])
}
