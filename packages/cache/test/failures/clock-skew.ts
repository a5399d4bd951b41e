import { sleep } from '@stepladder/core'
import { keyPrefix } from '@stepladder/core/testing'
import { ReaderProcess } from '../reader-process.ts'
import { countWrong, type Failure, fenceMs, key, tag, within } from './failure.ts'

const behindMs = 5_000

export const clockSkew: Failure = {
  id: 'clock-skew',
  what: 'of 2 nodes that have an old value, after a process whose clock is 5 s behind invalidated its tag',
  needsTags: true,
  async play(peer, { url }) {
    const name = keyPrefix('skew')
    const tagsOf = () => [tag]
    let row = 'old'
    const load = async () => row
    const node = await peer.open({ name, redis: url, load, tagsOf })
    const behind = await ReaderProcess.start(url, name, { peer: peer.name, skewMs: -behindMs, tag })
    await node.get(key)
    await sleep(1_000)
    row = 'new'
    await within(5_000, behind.invalidateTag(tag))
    await sleep(fenceMs)

    const fresh = await peer.open({ name, redis: url, load, tagsOf })
    const wrong = await countWrong([fresh, node], row)
    await Promise.all([node.close(), fresh.close(), behind.kill()])
    return wrong
  },
}
