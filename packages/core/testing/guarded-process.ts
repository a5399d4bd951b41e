import { type ChildProcess, spawn } from 'node:child_process'
import type { ServerUser } from './server-user.ts'

export interface GuardedProcessOptions {
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly cwd?: string | undefined
  readonly user?: ServerUser | undefined
  /** Where its output goes: a file descriptor, or pipes on `child`. */
  readonly output: number | 'pipe'
  /** The signal that ends it in order when we are gone; SIGKILL follows a second later. Default `KILL`. */
  readonly lastSignal?: 'KILL' | 'QUIT' | 'TERM' | undefined
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/**
 * A program that cannot outlive this process, not even when this process is killed by SIGKILL: a shell
 * waits at the end of a pipe from us, and when the pipe breaks it kills the program.
 */
export class GuardedProcess {
  readonly child: ChildProcess
  readonly pid: number
  /** Resolves when the program has ended, however it ended. */
  readonly exited: Promise<Exit>
  readonly #guard: ChildProcess

  /** Throws if the program cannot be started at all. */
  constructor(program: string, args: readonly string[], options: GuardedProcessOptions) {
    const { env, cwd, user, output, lastSignal = 'KILL' } = options
    // Detached: a Ctrl-C at the terminal is for the runner, which ends its servers in its own order.
    this.child = spawn(program, args, {
      env,
      cwd,
      ...user,
      stdio: ['ignore', output, output],
      detached: true,
    })
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => resolve({ code, signal }))
      this.child.once('error', () => resolve({ code: null, signal: null }))
    })
    this.pid = this.child.pid ?? 0
    this.#guard = startGuard(this.pid, lastSignal)
    void this.exited.then(() => this.#tellGuard('done'))
  }

  get hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null || this.pid === 0
  }

  /** From now on it does not keep this process alive, save while `waitForExit` waits. */
  unref(): void {
    this.child.unref()
  }

  waitForExit(): Promise<Exit> {
    this.child.ref()
    return this.exited
  }

  /** Harmless when the program has ended. */
  signal(name: NodeJS.Signals): void {
    this.child.kill(name)
  }

  /** The guard kills these too: processes that stand still and so cannot see that their parent died. */
  guardAlso(pids: readonly number[]): void {
    for (const pid of pids) this.#tellGuard(`add ${pid}`)
  }

  /** Takes `guardAlso` back. */
  guardOnly(): void {
    this.#tellGuard('drop')
  }

  #tellGuard(line: string): void {
    this.#guard.stdin?.write(`${line}\n`)
  }
}

const guardScript = `
while read -r word pid; do
  case $word in
    add) more="$more $pid" ;;
    drop) more= ;;
    done) exit 0 ;;
  esac
done
kill -s "$2" "$1"
kill -s CONT "$1" $more
test "$2" = KILL || sleep 1
kill -s KILL "$1" $more`

function startGuard(pid: number, lastSignal: string): ChildProcess {
  const guard = spawn('/bin/sh', ['-c', guardScript, 'stepladder-guard', String(pid), lastSignal], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  // A guard that is gone cannot be told anything; there is no more to it than that.
  guard.on('error', () => {})
  guard.stdin.on('error', () => {})
  guard.unref()
  // A pipe to a child is a socket in Node, and an open one would keep this process alive.
  if ('unref' in guard.stdin && typeof guard.stdin.unref === 'function') guard.stdin.unref()
  return guard
}
