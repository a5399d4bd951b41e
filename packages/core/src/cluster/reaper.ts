import { type ChildProcess, spawn } from 'node:child_process'
import type { Closeable } from '../closeable.ts'

/**
 * Hears from the supervisor which workers live, and by the end of its input that the supervisor is gone. Signals for
 * the supervisor are none for it: it ends when there is nobody to be looked after. Who ends by itself is given a second.
 */
const script = `
trap '' HUP INT QUIT TERM
PATH=$PATH:/usr/bin:/bin
workers=
while read -r word pid; do
  case $word in
    born) workers="$workers $pid" ;;
    gone)
      others=
      for worker in $workers; do [ "$worker" = "$pid" ] || others="$others $worker"; done
      workers=$others ;;
  esac
done
[ -n "$workers" ] || exit 0
sleep 1
for worker in $workers; do kill -9 "-$worker"; done`

/**
 * Outlives the supervisor, however that one ends: kills the workers that it leaves behind, each with all that it had
 * started. One whose event loop turns ends by itself; one that hangs, and does so before it has a watchdog of its own,
 * nobody else would end. A small shell: where there is none, there is no reaper.
 */
export class Reaper implements Closeable {
  readonly #workers = new Set<number>()
  #shell: ChildProcess | undefined
  #isClosed = false

  join(pid: number): void {
    if (process.platform === 'win32' || this.#isClosed) return
    this.#workers.add(pid)
    if (this.#shell) this.#say('born', pid)
    else this.#start()
  }

  leave(pid: number): void {
    if (this.#workers.delete(pid)) this.#say('gone', pid)
  }

  /** No worker is left, or none is to be. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#shell?.stdin?.end()
  }

  #start(): void {
    const shell = startShell()
    if (!shell) return
    this.#shell = shell
    // It could not be started, or somebody has killed it: the next worker brings another.
    const forget = () => {
      if (this.#shell === shell) this.#shell = undefined
    }
    shell.once('error', forget).once('exit', forget)
    shell.stdin?.on('error', () => {})
    shell.unref()
    for (const pid of this.#workers) this.#say('born', pid)
  }

  #say(word: 'born' | 'gone', pid: number): void {
    this.#shell?.stdin?.write(`${word} ${pid}\n`)
  }
}

/** Undefined where the system refuses it at once. */
function startShell(): ChildProcess | undefined {
  try {
    // In a session of its own, so that Ctrl+C is not for it; and whoever reads our output does not wait for its end.
    return spawn('/bin/sh', ['-c', script, 'stepladder-reaper'], {
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
  } catch {
    return undefined
  }
}
