import { createHash } from 'node:crypto'
import type { RedisClient } from '../redis.ts'

type Argument = string | Buffer | number

/** What ioredis has for these commands as for all others, though its types leave them out. */
interface Scripting {
  evalBuffer(script: string, numKeys: number, ...args: Argument[]): Promise<unknown>
  evalshaBuffer(digest: string, numKeys: number, ...args: Argument[]): Promise<unknown>
}

/**
 * A Lua script, sent by its hash, and once more in full where the server does not know it: a restart or a failover
 * empties the server's memory of scripts. Name all keys that it touches; on a cluster they are of one slot.
 */
export class RedisScript {
  readonly #source: string
  readonly #digest: string

  constructor(source: string) {
    this.#source = source
    this.#digest = createHash('sha1').update(source).digest('hex')
  }

  /** Answers with strings for texts. Rejects as the client does. */
  async run(client: RedisClient, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    try {
      return await client.call('evalsha', this.#digest, keys.length, ...keys, ...args)
    } catch (failure) {
      if (!isForgotten(failure)) throw failure
      return client.call('eval', this.#source, keys.length, ...keys, ...args)
    }
  }

  /** `run`, but answers with Buffers for texts. */
  async runBuffer(client: RedisClient, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const scripting = client as RedisClient & Scripting // as said above
    try {
      return await scripting.evalshaBuffer(this.#digest, keys.length, ...keys, ...args)
    } catch (failure) {
      if (!isForgotten(failure)) throw failure
      return scripting.evalBuffer(this.#source, keys.length, ...keys, ...args)
    }
  }
}

function isForgotten(failure: unknown): boolean {
  return failure instanceof Error && failure.message.startsWith('NOSCRIPT')
}
