import { coldLoads } from './cache/cold-loads.ts'
import { commands } from './cache/commands.ts'
import { responseHit } from './cache/express.ts'
import { hitRatio } from './cache/hit-ratio.ts'
import { memoryGet } from './cache/memory-get.ts'
import { memoryHits, taggedMemoryHits } from './cache/memory-hits.ts'
import { outageReads } from './cache/outage-reads.ts'
import { redisHits, redisMisses } from './cache/redis-reads.ts'
import type { Bench } from './figure.ts'

/** What the cache costs and saves, beside its peers. What they serve that is wrong, `npm run fault -- cache` counts. */
export const bench: Bench = {
  name: 'cache',
  groups: {
    'l1-hit': memoryHits,
    'l1-tags': taggedMemoryHits,
    'l1-get': memoryGet,
    'l2-hit': redisHits,
    'miss-fill': redisMisses,
    'cold-loads': coldLoads,
    'outage-read-p99': outageReads,
    commands,
    'hit-ratio': hitRatio,
    'response-hit': responseHit,
  },
}
