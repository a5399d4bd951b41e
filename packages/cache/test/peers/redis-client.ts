import { Redis } from 'ioredis'

export interface ClientSettings {
  readonly enableAutoPipelining?: boolean
  readonly enableOfflineQueue?: boolean
  readonly maxRetriesPerRequest?: number
  /** In milliseconds. */
  readonly commandTimeout?: number
}

/**
 * A connection as an app makes it, with the defaults of ioredis but for pipelining, which makes those faster that
 * send one command at a time.
 */
export function redisClient(url: string, options: ClientSettings = {}): Redis {
  return new QuietRedis(url, { enableAutoPipelining: true, ...options })
}

/** Where nobody listens for errors, ioredis prints each; some peers make connections of their own from the one they get. */
class QuietRedis extends Redis {
  constructor(...args: [url: string, options: ClientSettings]) {
    super(...args)
    this.on('error', () => {})
  }

  override duplicate(...args: Parameters<Redis['duplicate']>): Redis {
    return super.duplicate(...args).on('error', () => {})
  }
}
