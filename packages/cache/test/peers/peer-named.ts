import type { Peer } from './peer.ts'

/** A process of one peer starts sooner without the others. */
const peers: Readonly<Record<string, () => Promise<Peer>>> = {
  stepladder: async () => (await import('./stepladder.ts')).stepladder,
  bentocache: async () => (await import('./bentocache.ts')).bentocache,
  'bentocache, tuned to fail fast': async () => (await import('./bentocache.ts')).bentocacheTuned,
  cacheable: async () => (await import('./cacheable.ts')).cacheable,
  'cache-manager': async () => (await import('./cache-manager.ts')).cacheManager,
  'async-cache-dedupe': async () => (await import('./async-cache-dedupe.ts')).asyncCacheDedupe,
  'layered-loader': async () => (await import('./layered-loader.ts')).layeredLoader,
}

export async function peerNamed(name: string): Promise<Peer> {
  const peer = peers[name]
  if (!peer) throw new Error(`There is no peer "${name}"`)
  return peer()
}
