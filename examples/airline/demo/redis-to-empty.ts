import { Redis } from 'ioredis'
import { DemoError } from './demo-error.ts'

/** A Redis that belongs to this demo alone, for it is emptied before every rung. */
export class RedisToEmpty implements AsyncDisposable {
  readonly url: string
  readonly #redis: Redis
  #lastFailure: Error | undefined

  private constructor(url: string, redis: Redis) {
    this.url = url
    this.#redis = redis
  }

  /** Refuses a Redis that holds anything: it would be lost. */
  static async open(url: string): Promise<RedisToEmpty> {
    const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, commandTimeout: 2_000 })
    const mine = new RedisToEmpty(url, redis)
    redis.on('error', (failure) => {
      mine.#lastFailure = failure
    })
    try {
      await mine.check()
      await mine.#refuseIfInUse()
      return mine
    } catch (failure) {
      redis.disconnect()
      throw failure
    }
  }

  async empty(): Promise<void> {
    await this.check()
    await this.#redis.flushdb()
  }

  async check(): Promise<void> {
    await this.#redis.ping().catch((cause: Error) => {
      // A command tells only that it was given up; the connection tells why.
      const { message } = this.#lastFailure ?? cause
      throw new DemoError(`Redis does not answer: ${message}`, { cause })
    })
  }

  async #refuseIfInUse(): Promise<void> {
    const keys = await this.#redis.dbsize()
    if (keys === 0) return
    throw new DemoError(
      `The Redis at REDIS_URL holds ${keys} keys, and the demo empties the one it uses: ` +
        'name an empty one, such as redis://127.0.0.1:6379/15',
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#redis.flushdb().catch(() => {})
    this.#redis.disconnect()
  }
}
