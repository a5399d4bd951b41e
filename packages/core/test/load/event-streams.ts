import { get } from 'node:http'
import { coded } from './ask.ts'
import { hangsMs, type LoadResult, type LoadTarget, Tally } from './load.ts'

/**
 * Server-Sent Events, each of which counts as an answer. A stream that ends is opened anew; one that breaks, ends
 * within an event, or leaves one out, is lost.
 */
export async function eventStreams(target: LoadTarget): Promise<LoadResult> {
  const tally = new Tally(target)
  return await tally.run(async () => {
    while (!tally.isOver) {
      await listen(target, tally).then(
        () => tally.isOver || tally.askedAgain(),
        (failure) => tally.lost(failure),
      )
    }
  })
}

/** Resolves when the stream has ended as it should, or the load is over. */
function listen({ port, path = '/events' }: LoadTarget, tally: Tally): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      let text = ''
      let heard = 0
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
        const events = text.split('\n\n')
        text = events.pop() ?? ''
        for (const event of events) {
          heard += 1
          if (event !== `id: ${heard}\ndata: an event`) reject(coded('OTHER_EVENT'))
          tally.answered()
        }
        timer.refresh()
        if (tally.isOver) {
          resolve()
          asked.destroy()
        }
      })
      response.once('end', () => (text === '' ? resolve() : reject(coded('HALF_AN_EVENT'))))
      response.once('error', reject)
      response.once('close', () => clearTimeout(timer))
    })
    const timer = setTimeout(() => asked.destroy(coded('HANGS')), hangsMs)
    asked.once('error', (failure) => {
      clearTimeout(timer)
      reject(failure)
    })
  })
}
