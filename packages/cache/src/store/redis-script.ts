import { createHash } from 'node:crypto'
import type { RedisClient } from '@stepladder/core'

/** What ioredis has for these commands as for all others, though its types leave them out. */
interface Scripting {
  evalBuffer(script: string, numKeys: number, ...args: (string | Buffer | number)[]): Promise<unknown>
  evalshaBuffer(digest: string, numKeys: number, ...args: (string | Buffer | number)[]): Promise<unknown>
}

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
    const scripting = client as RedisClient & Scripting // as said above
    try {
      return await scripting.evalshaBuffer(this.#digest, keys.length, ...keys, ...args)
    } catch (failure) {
      // A restart or a failover empties the script cache of the server.
      if (!(failure instanceof Error && failure.message.startsWith('NOSCRIPT'))) throw failure
      return scripting.evalBuffer(this.#source, keys.length, ...keys, ...args)
    }
  }
}
