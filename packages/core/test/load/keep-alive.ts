import { Agent } from 'node:http'
import { sleep } from '@stepladder/core'
import { seededRandom } from '@stepladder/core/testing'
import { ask } from './ask.ts'
import { type LoadResult, type LoadTarget, Tally } from './load.ts'

/** The longest that an idle client rests between two requests, in milliseconds. */
const longestRestMs = 1_000

/** Saturated keep-alive connections, each of which sends its next request as soon as the last is answered. */
export function saturatedKeepAlive(target: LoadTarget): Promise<LoadResult> {
  return overConnections(target, async () => {})
}

/** Keep-alive connections that send a request now and then, at random times, so that some hit a closing one. */
export function idleKeepAlive(target: LoadTarget): Promise<LoadResult> {
  const random = seededRandom(target.seed)
  return overConnections(target, () => sleep(random() * longestRestMs))
}

async function overConnections(target: LoadTarget, rest: () => Promise<void>): Promise<LoadResult> {
  const { port, path = '/' } = target
  const tally = new Tally(target)
  return await tally.run(async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (!tally.isOver) {
      await rest()
      await ask({ port, path, agent }).then(
        () => tally.answered(),
        (failure) => tally.lost(failure),
      )
    }
    agent.destroy()
  })
}
