import { createHash } from 'node:crypto'
import type { RedisClient } from '@stepladder/core'

/** A Lua script on a key, or on several of one slot, sent by its hash, and whole when Redis has forgotten it. */
export class RedisScript {
  readonly #text: string
  readonly #sha: string

  constructor(text: string) {
    this.#text = text
    this.#sha = createHash('sha1').update(text).digest('hex')
  }

  async run(
    client: RedisClient,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    try {
      return await client.call('evalsha', this.#sha, keys.length, ...keys, ...args)
    } catch (failure) {
      const isForgotten = failure instanceof Error && failure.message.startsWith('NOSCRIPT')
      if (!isForgotten) throw failure
      return client.call('eval', this.#text, keys.length, ...keys, ...args)
    }
  }
}
