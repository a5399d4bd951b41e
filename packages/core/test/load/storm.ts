import { ask } from './ask.ts'
import { type LoadResult, type LoadTarget, Tally } from './load.ts'

/** A new connection for each request, one after the other by each client. */
export async function connectionStorm(target: LoadTarget): Promise<LoadResult> {
  const { port, path = '/slow?ms=5' } = target
  const tally = new Tally(target)
  return await tally.run(async () => {
    while (!tally.isOver) {
      await ask({ port, path, agent: false }).then(
        () => tally.answered(),
        (failure) => tally.lost(failure),
      )
    }
  })
}
