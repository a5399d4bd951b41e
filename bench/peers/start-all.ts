import type { Peer } from './peer.ts'
import { type RunningPeer, type StartOptions, startPeer } from './running-peer.ts'

/** Several peers that serve at the same time, in the order in which they were asked for. */
export async function startAll(peers: readonly Peer[], options: StartOptions = {}) {
  const started = new AsyncDisposableStack()
  const servers: RunningPeer[] = []
  try {
    // One after the other: what starts beside something else may be late.
    for (const peer of peers) servers.push(started.use(await startPeer(peer, options)))
  } catch (cause) {
    await started.disposeAsync()
    throw cause
  }
  return { servers, [Symbol.asyncDispose]: () => started.disposeAsync() }
}
