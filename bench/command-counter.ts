import { keyPrefix } from '@stepladder/core/testing'
import { Redis } from 'ioredis'

/** Counts the commands that clients send to a Redis, by MONITOR; what scripts do inside is part of them. */
export class CommandCounter {
  readonly #admin: Redis
  readonly #monitor: Redis
  readonly #ignored: RegExp
  #count = 0
  #marks = new Map<string, () => void>()

  private constructor(admin: Redis, monitor: Redis, ignored: RegExp) {
    this.#admin = admin
    this.#monitor = monitor
    this.#ignored = ignored
    monitor.on('monitor', (_time, args: string[], source) => this.#hear(args, source))
  }

  /** `ignored`: commands that belong to a process and not to its requests, such as a heartbeat. */
  static async open(url: string, ignored: RegExp): Promise<CommandCounter> {
    const admin = new Redis(url)
    return new CommandCounter(admin, await admin.monitor(), ignored)
  }

  /** How many were sent while `task` ran. */
  async during(task: () => Promise<unknown>): Promise<number> {
    await this.#mark()
    const before = this.#count
    await task()
    await this.#mark()
    return this.#count - before
  }

  close(): void {
    this.#admin.disconnect()
    this.#monitor.disconnect()
  }

  #hear(args: readonly string[], source: string): void {
    const seen = args[0]?.toLowerCase() === 'echo' ? this.#marks.get(args[1]!) : undefined
    if (seen) seen()
    else if (source !== 'lua' && !this.#ignored.test(args.join(' '))) this.#count += 1
  }

  /** Redis shows commands in order: what was sent before has been counted when this one is seen. */
  async #mark(): Promise<void> {
    const mark = keyPrefix('mark')
    const seen = new Promise<void>((resolve) => this.#marks.set(mark, resolve))
    await this.#admin.echo(mark)
    await seen
    this.#marks.delete(mark)
  }
}
