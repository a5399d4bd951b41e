import { isRedisCluster, type RedisClient, redisKeyPrefix } from '@stepladder/core'
import { everything } from '../call/key.ts'
import { inBatches, mostKeys } from './redis-batches.ts'
import { RedisIncarnation } from './redis-incarnation.ts'
import type { RedisKeys } from './redis-keys.ts'
import type { RedisLink } from './redis-link.ts'
import { settleScript } from './redis-scripts.ts'

/** Where commands go, and how much of them at a time. */
export class RedisServer {
  readonly client: RedisClient
  /** On a cluster each key has its own place, and so its own command; the client sends them together. */
  readonly isCluster: boolean
  /** How many keys one command may name. */
  readonly mostKeys: number
  /** Where invalidations are told. */
  readonly channel: string
  readonly #incarnation: RedisIncarnation

  constructor(client: RedisClient, keys: RedisKeys, link: RedisLink) {
    this.client = client
    this.isCluster = isRedisCluster(client)
    this.mostKeys = this.isCluster ? 1 : mostKeys
    this.channel = keys.channel(redisKeyPrefix(client))
    const all = { keys: [], tags: [everything] }
    const settle = async (incarnation: string) => {
      const args = [incarnation, this.channel, link.message(all)]
      await settleScript.runBuffer(client, [keys.tag(everything)], args)
    }
    this.#incarnation = new RedisIncarnation(client, settle, () => link.onIncident())
  }

  /**
   * How epochs begin on this server in its present life, which is settled before anybody asks it anything: where
   * the epoch of everything begins otherwise, all that is stored is older, and goes.
   */
  incarnation(): string | Promise<string> {
    return this.#incarnation.known ?? this.#incarnation.ask()
  }

  /** What is stored under each name; null also for what is no text. At most `most` names in a command. */
  async getAll(names: readonly string[], most: number = this.mostKeys): Promise<readonly (Buffer | null)[]> {
    const batches = inBatches(names, Math.min(most, this.mostKeys))
    return (await Promise.all(batches.map((batch) => this.client.mgetBuffer(...batch)))).flat()
  }

  async unlinkAll(names: readonly string[]): Promise<void> {
    await Promise.all(inBatches(names, this.mostKeys).map((batch) => this.client.call('unlink', ...batch)))
  }
}
