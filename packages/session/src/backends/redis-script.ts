import { createHash } from 'node:crypto'
import type { RedisClient } from '@stepladder/core'

/** A Lua script on one key, sent by its hash, and whole when Redis has forgotten it. */
export class RedisScript {
  readonly #text: string
  readonly #sha: string

  constructor(text: string) {
    this.#text = text
    this.#sha = createHash('sha1').update(text).digest('hex')
  }

  async run(client: RedisClient, key: string, ...args: (string | number)[]): Promise<unknown> {
    try {
      return await client.call('EVALSHA', this.#sha, 1, key, ...args)
    } catch (failure) {
      const isForgotten = failure instanceof Error && failure.message.startsWith('NOSCRIPT')
      if (!isForgotten) throw failure
      return client.call('EVAL', this.#text, 1, key, ...args)
    }
  }
}
