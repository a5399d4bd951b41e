import { sleep } from '@stepladder/core'
import { keyPrefix } from '@stepladder/core/testing'
import { type Failure, key } from './failure.ts'

const callers = 200

export const failingHerd: Failure = {
  id: 'failing-herd',
  what: `loads beyond the first, and callers not given its failure, when ${callers} at once meet a loader that fails`,
  async play(peer, { url }) {
    const failure = new Error('the loader failed')
    let loads = 0
    const load = async () => {
      loads += 1
      await sleep(20)
      throw failure
    }
    const node = await peer.open({ name: keyPrefix('herd'), redis: url, load })
    const answers = await Promise.allSettled(Array.from({ length: callers }, () => node.get(key)))
    await node.close()
    return loads - 1 + answers.filter((answer) => !isFailure(answer, failure)).length
  },
}

/** The loader's own, or one that names it as its cause. */
function isFailure(answer: PromiseSettledResult<unknown>, failure: Error): boolean {
  if (answer.status === 'fulfilled') return false
  const { reason } = answer
  return reason === failure || (reason instanceof Error && reason.cause === failure)
}
