import { Redis, type RedisOptions } from 'ioredis'

/**
 * A connection as an app makes it, with the defaults of ioredis but for pipelining, which makes those faster that
 * send one command at a time.
 */
export function redisClient(url: string, options: RedisOptions = {}): Redis {
  return new QuietRedis(url, { enableAutoPipelining: true, ...options })
}

/** Where nobody listens for errors, ioredis prints each; some peers make connections of their own from the one they get. */
class QuietRedis extends Redis {
  constructor(...args: [url: string, options: RedisOptions]) {
    super(...args)
    this.on('error', () => {})
  }

  override duplicate(...args: Parameters<Redis['duplicate']>): Redis {
    return super.duplicate(...args).on('error', () => {})
  }
}
