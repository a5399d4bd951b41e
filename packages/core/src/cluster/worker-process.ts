import { ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { privateFolder } from '../control/control-address.ts'
import type { WorkerSituation } from '../link/supervisor-link.ts'
import { situationVariable } from '../link/supervisor-link.ts'

/** What a worker runs; default: what this process runs. */
export interface WorkerProgram {
  readonly exec?: string | undefined
  readonly args?: readonly string[] | undefined
  readonly execArgv?: readonly string[] | undefined
}

/** Tells whatever a worker starts whose worker that is: the pid of the supervisor. */
export const supervisorVariable = 'STEPLADDER_SUPERVISOR'

let lastId = 0

/**
 * Starts a process that Node takes for one of a cluster's workers (`cluster.isWorker`), in a process group
 * of its own, so that the children of an app can be ended with it, and Ctrl+C reaches the supervisor alone.
 * `instance` is its `NODE_APP_INSTANCE`. Its file descriptor 4 is a pipe to this process, which its threads
 * can write to when its event loop hangs. One that cannot be started emits 'error', whatever the reason.
 */
export function forkWorker(
  { exec = process.argv[1]!, args = process.argv.slice(2), execArgv = process.execArgv }: WorkerProgram,
  instance: number,
  situation: WorkerSituation,
): ChildProcess {
  try {
    return fork(exec, args, {
      env: environmentOf(instance, situation),
      execArgv: [...execArgv, ...debuggerPort(execArgv, instance)],
      stdio: ['inherit', 'inherit', 'inherit', 'ipc', 'pipe'],
      // On Windows that would open a window, and there are no process groups.
      detached: hasGroups,
    })
  } catch (failure) {
    // Of what the system refuses, Node throws some (no memory) and emits the rest (no process, no descriptor).
    return stillborn(failure)
  }
}

function environmentOf(instance: number, situation: WorkerSituation): NodeJS.ProcessEnv {
  lastId += 1
  return {
    ...process.env,
    ...compileCache(),
    NODE_APP_INSTANCE: String(instance),
    // How Node's own cluster module tells a worker that it is one, and its number.
    NODE_UNIQUE_ID: String(lastId),
    [situationVariable]: JSON.stringify(situation),
    [supervisorVariable]: String(process.pid),
  }
}

function stillborn(failure: unknown): ChildProcess {
  const child = new ChildProcess()
  process.nextTick(() => child.emit('error', failure))
  return child
}

/** Sends the signal to the process and to all that it started; false if there is nobody any more. */
export function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(hasGroups ? -pid : pid, signal)
  } catch {
    return false
  }
}

/**
 * Has Node keep the code that it compiled, so that the next worker starts sooner, in a folder where nobody else can
 * put any; an app that says where, or that it wants none (NODE_DISABLE_COMPILE_CACHE), is heeded by Node.
 */
function compileCache(): { readonly NODE_COMPILE_CACHE?: string } {
  const folder = process.env.NODE_COMPILE_CACHE === undefined ? privateFolder() : undefined
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: join(folder, 'compiled') }
}

const hasGroups = process.platform !== 'win32'

/** Each worker needs a port of its own for the debugger, as under Node's cluster module. */
function debuggerPort(execArgv: readonly string[], instance: number): string[] {
  const isDebugged = execArgv.some((arg) => arg.startsWith('--inspect'))
  return isDebugged ? [`--inspect-port=${process.debugPort + 1 + instance}`] : []
}
