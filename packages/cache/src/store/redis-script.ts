import { createHash } from 'node:crypto'
import type { RedisClient } from '@stepladder/core'

/** A Lua script, sent in full only to a server that does not know it yet. It answers with Buffers. */
export class RedisScript {
  readonly #source: string
  readonly #digest: string

  constructor(source: string) {
    this.#source = source
    this.#digest = createHash('sha1').update(source).digest('hex')
  }

  async run(
    client: RedisClient,
    keys: readonly string[],
    args: readonly (string | Buffer | number)[],
  ): Promise<unknown> {
    try {
      return await client.evalshaBuffer(this.#digest, keys.length, ...keys, ...args)
    } catch (failure) {
      // A restart or a failover empties the script cache of the server.
      if (!(failure instanceof Error && failure.message.startsWith('NOSCRIPT'))) throw failure
      return client.evalBuffer(this.#source, keys.length, ...keys, ...args)
    }
  }
}
