import { sleep } from '@stepladder/core'
import { keyPrefix, startTcpProxy } from '@stepladder/core/testing'
import { countWrong, type Failure, fenceMs, key, within } from './failure.ts'

/** By then every client has connected again. */
const reconnectMs = 3_000

export const gap: Failure = {
  id: 'gap',
  what: 'of 1 node that has an old value, after it was away while another invalidated',
  async play(peer, redis) {
    await using proxy = await startTcpProxy(redis)
    const name = keyPrefix('gap')
    let row = 'old'
    const load = async () => row
    const away = await peer.open({ name, redis: proxy.url('redis'), load })
    const other = await peer.open({ name, redis: redis.url, load })
    await other.get(key)
    await away.get(key)
    await sleep(500) // by now it listens

    proxy.refuse()
    proxy.cut()
    row = 'new'
    await within(5_000, other.invalidate(key))
    await sleep(500)
    await proxy.accept()
    await sleep(Math.max(fenceMs, reconnectMs))

    const wrong = await countWrong([away], row)
    await Promise.all([away.close(), other.close()])
    return wrong
  },
}
