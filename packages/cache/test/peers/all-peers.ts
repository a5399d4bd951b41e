import { asyncCacheDedupe } from './async-cache-dedupe.ts'
import { bentocache } from './bentocache.ts'
import { cacheManager } from './cache-manager.ts'
import { cacheable } from './cacheable.ts'
import { layeredLoader } from './layered-loader.ts'
import type { Peer } from './peer.ts'
import { stepladder } from './stepladder.ts'

/** Those that ours is compared with. */
export const others: readonly Peer[] = [bentocache, cacheable, cacheManager, asyncCacheDedupe, layeredLoader]

/** Ours first. */
export const allPeers: readonly Peer[] = [stepladder, ...others]
