import { sleep } from '@stepladder/core'
import { keyPrefix, startTcpProxy } from '@stepladder/core/testing'
import { countWrong, type Failure, key, within } from './failure.ts'

/** How long the network swallows everything, and how long after it each has to tell the others. */
const outageMs = 1_500
const recoverMs = 4_000

export const lostInvalidation: Failure = {
  id: 'lost-invalidation',
  what: 'of 3 nodes that have an old value, after one of them invalidated while it could not reach Redis',
  async play(peer, redis) {
    await using proxy = await startTcpProxy(redis)
    const name = keyPrefix('lost')
    let row = 'old'
    const load = async () => row
    const away = await peer.open({ name, redis: proxy.url('redis'), load })
    const other = await peer.open({ name, redis: redis.url, load })
    await other.get(key)
    await away.get(key)
    await sleep(500) // by now it listens

    proxy.blackhole()
    row = 'new'
    const told = away.invalidate(key).catch(() => {})
    await within(outageMs, told)
    await sleep(outageMs / 2)
    // What was on its way is gone with the connections.
    proxy.cut()
    await proxy.heal()
    await sleep(recoverMs)

    const fresh = await peer.open({ name, redis: redis.url, load })
    const wrong = await countWrong([fresh, away, other], row)
    await Promise.all([away.close(), other.close(), fresh.close()])
    return wrong
  },
}
