import session from 'express-session'
import type { Redis } from 'ioredis'

/** The control arm: what connect-redis does, a plain GET and SET. */
export class NaiveRedisStore extends session.Store {
  readonly #redis: Redis
  readonly #prefix: string

  constructor(redis: Redis, prefix: string) {
    super()
    this.#redis = redis
    this.#prefix = prefix
  }

  get(id: string, callback: (error: unknown, session?: session.SessionData | null) => void): void {
    this.#redis
      .get(this.#prefix + id)
      .then((text) => callback(null, text ? JSON.parse(text) : null), callback)
  }

  set(id: string, data: session.SessionData, callback: (error?: unknown) => void = () => {}): void {
    this.#redis.set(this.#prefix + id, JSON.stringify(data), 'EX', 86_400).then(() => callback(), callback)
  }

  destroy(id: string, callback: (error?: unknown) => void = () => {}): void {
    this.#redis.del(this.#prefix + id).then(() => callback(), callback)
  }
}
