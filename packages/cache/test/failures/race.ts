import { sleep } from '@stepladder/core'
import { keyPrefix } from '@stepladder/core/testing'
import type { Peer, PeerNode } from '../peers/peer.ts'
import { countWrong, type Failure, fenceMs, key, type RedisAddress, tag, within } from './failure.ts'

/** The plain race of every cache-aside layer: who loads stores what was read before somebody else changed it. */
export const race: Failure = {
  id: 'race',
  what: 'of 3 nodes that have an old value, after a load that an invalidation by key overtook',
  play: (peer, redis) => overtake(peer, redis, (writer) => writer.invalidate(key)),
}

export const tagRace: Failure = {
  id: 'tag-race',
  what: 'of 3 nodes that have an old value, after a load that an invalidation by tag overtook',
  needsTags: true,
  play: (peer, redis) =>
    overtake(
      peer,
      redis,
      async (writer) => writer.invalidateTag?.(tag),
      () => [tag],
    ),
}

async function overtake(
  peer: Peer,
  { url }: RedisAddress,
  invalidate: (writer: PeerNode) => Promise<unknown>,
  tagsOf?: () => readonly string[],
): Promise<number> {
  let row = 'old'
  const read = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const slowLoad = async () => {
    const found = row
    read.resolve()
    await gate.promise
    return found
  }
  const load = async () => row
  const common = { name: keyPrefix('race'), redis: url, tagsOf }
  const reader = await peer.open({ ...common, load: slowLoad })
  const writer = await peer.open({ ...common, load })
  await Promise.all([reader, writer].map((node) => within(5_000, node.invalidate('warm up'))))

  const slow = reader.get(key)
  await read.promise
  row = 'new'
  await within(5_000, invalidate(writer))
  gate.resolve()
  await slow
  await sleep(fenceMs)

  const fresh = await peer.open({ ...common, load })
  const wrong = await countWrong([fresh, writer, reader], row)
  await Promise.all([reader, writer, fresh].map((node) => node.close()))
  return wrong
}
