import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface Reply {
  /** The different values that the callers were given. */
  readonly served: readonly string[]
  /** How often this process has loaded, in all. */
  readonly loads: number
}

export interface ReadOrder {
  readonly key: string
  readonly row: string
  readonly loadMs?: number
  readonly callers?: number
}

export interface ReaderOptions {
  /** Whose cache it uses. Default ours. */
  readonly peer?: string
  /** How wrong its clock on the wall is. Default 0. */
  readonly skewMs?: number
  /** The tag of all its values. Default none. */
  readonly tag?: string | undefined
}

/** `fixtures/reader.ts` in a process of its own; it ends with this one. */
export class ReaderProcess {
  readonly #child: ChildProcess
  #lastId = 0

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(
    redisUrl: string,
    cacheName: string,
    { peer = 'stepladder', skewMs = 0, tag }: ReaderOptions = {},
  ): Promise<ReaderProcess> {
    const child = fork(fileURLToPath(new URL('./fixtures/reader.ts', import.meta.url)), {
      execArgv: ['--conditions=@stepladder/source'],
      env: {
        ...process.env,
        ...{ REDIS_URL: redisUrl, CACHE_NAME: cacheName, PEER: peer, SKEW_MS: String(skewMs) },
        ...(tag === undefined ? {} : { TAG: tag }),
      },
    })
    const ended = once(child, 'exit').then(([code]) =>
      Promise.reject(new Error(`it ended with code ${code}`)),
    )
    await Promise.race([once(child, 'message'), ended])
    // Later it is killed, and nobody waits for its first word any more.
    ended.catch(() => {})
    return new ReaderProcess(child)
  }

  read({ key, row, loadMs = 0, callers = 1 }: ReadOrder): Promise<Reply> {
    return this.#order({ does: 'read', key, row, loadMs, callers })
  }

  invalidate(key: string): Promise<Reply> {
    return this.#order({ does: 'invalidate', key })
  }

  invalidateTag(tag: string): Promise<Reply> {
    return this.#order({ does: 'invalidateTag', key: tag })
  }

  /** SIGSTOP: it stands where it is, and its connections stay open. */
  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  /** Ends `freeze`. */
  thaw(): void {
    this.#child.kill('SIGCONT')
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }

  #order(order: object): Promise<Reply> {
    const id = ++this.#lastId
    this.#child.send({ id, ...order })
    return new Promise((resolve) => {
      const hear = (reply: Reply & { readonly id: number }) => {
        if (reply.id !== id) return
        this.#child.off('message', hear)
        resolve(reply)
      }
      this.#child.on('message', hear)
    })
  }
}
