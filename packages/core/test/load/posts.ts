import { createHash } from 'node:crypto'
import { Agent } from 'node:http'
import { sleep } from '@stepladder/core'
import { seededRandom } from '@stepladder/core/testing'
import { ask } from './ask.ts'
import { type LoadResult, type LoadTarget, Tally } from './load.ts'

/** Bodies that are sent slowly, in parts of random sizes; the answer is to be their hash. */
export async function slowPosts(target: LoadTarget): Promise<LoadResult> {
  const { port, path = '/hash', seed } = target
  const random = seededRandom(seed)
  const tally = new Tally(target)
  return await tally.run(async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (!tally.isOver) {
      const parts = Array.from({ length: 1 + Math.floor(random() * 4) }, () =>
        Buffer.alloc(1 + Math.floor(random() * 20_000), String(random())),
      )
      const send = async (write: (part: Buffer) => void) => {
        for (const part of parts) {
          write(part)
          await sleep(random() * 20)
        }
      }
      const hash = createHash('sha256').update(Buffer.concat(parts)).digest('hex')
      await ask({ port, path, agent, method: 'POST', send }).then(
        (answer) => (answer === hash ? tally.answered() : tally.lost('OTHER_BODY')),
        (failure) => tally.lost(failure),
      )
    }
    agent.destroy()
  })
}
