import { isRedisCluster, type RedisClient } from '@stepladder/core'
import { headBytes } from './own-writes.ts'
import { inBatches, mostKeys } from './redis-batches.ts'
import { headScript } from './redis-scripts.ts'

/** How each of the records begins; empty for none. */
export async function readHeads(client: RedisClient, names: readonly string[]): Promise<readonly string[]> {
  const batches = inBatches(names, isRedisCluster(client) ? 1 : mostKeys)
  const answers = await Promise.all(batches.map((batch) => headScript.runBuffer(client, batch, [headBytes])))
  // As the script answers.
  return (answers.flat() as Buffer[]).map((head) => head.toString('latin1'))
}
