import { getCallSites } from 'node:util'
import { Worker } from 'node:worker_threads'

/** What the thread is told at its start. */
export interface WatchdogOrders {
  /** First a number that each beat changes, then 1 while silence counts. */
  readonly shared: Int32Array
  readonly hangMs: number
  readonly supervisorPid: number
}

/** Watches the event loop of this process from a thread, which lives as long as the process. */
export class Watchdog {
  readonly #shared: Int32Array = new Int32Array(new SharedArrayBuffer(8))

  constructor(hangMs: number) {
    try {
      this.#startThread({ shared: this.#shared, hangMs, supervisorPid: process.ppid })
    } catch (failure) {
      sayThatItIsMissing(failure)
    }
  }

  /** To be called every so often; when it is not called for `hangMs` after it said so, the event loop hangs. */
  beat(isWatching: boolean): void {
    Atomics.store(this.#shared, 1, Number(isWatching))
    Atomics.add(this.#shared, 0, 1)
  }

  #startThread(workerData: WatchdogOrders): void {
    const thread = new Worker(threadFile(), {
      name: 'stepladder watchdog',
      workerData,
      // What the app is started with (preloads, a debugger's port, flags for memory) is not for this thread.
      execArgv: [],
      env: {},
      // Limits, not what it takes: the scripts of a large app are listed when its stack is taken.
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
    })
    thread.unref()
    // An error that nobody hears would end the app.
    thread.on('error', sayThatItIsMissing)
  }
}

/** The file beside this one, whether that runs as a source or as it was published. */
function threadFile(): string | URL {
  const here = getCallSites(1, { sourceMap: false })[0]!.scriptName
  const file = here.replace(/watchdog(\.[jt]s)$/, 'watchdog-thread$1')
  // Bundled into the app's own file there is none beside it, and that file would start the app once more.
  if (file === here) throw new Error(`its file is missing beside ${here}`)
  return file.startsWith('file:') ? new URL(file) : file
}

function sayThatItIsMissing(failure: unknown): void {
  const why = failure instanceof Error ? failure.message : failure
  console.error(
    `stepladder: no watchdog in this worker (${why}); a hang is found all the same, without its line`,
  )
}
