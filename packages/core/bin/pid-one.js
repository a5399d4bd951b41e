import { accessSync, constants } from 'node:fs'
import { fileURLToPath } from 'node:url'

const shell = '/bin/sh'
const script = fileURLToPath(new URL('./pid-one.sh', import.meta.url))

/**
 * Where this process is the first of a container, makes it a small shell script that does what process 1 has to,
 * with this same command as its child. Returns, with nothing done, where there is no need or no way (no
 * shell, or a Node before 22.15): then the supervisor says what to do about it.
 */
export function leavePidOne() {
  if (process.pid !== 1 || typeof process.execve !== 'function') return
  try {
    accessSync(shell, constants.X_OK)
    const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
    // Does not return; and Node's warning that this is experimental is written a moment later: never.
    process.execve(shell, ['sh', script, ...command], process.env)
  } catch {
    // Goes on as it is.
  }
}
