import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { hangsMs, type LoadResult, type LoadTarget, Tally } from './load.ts'

const atOnce = 4

/**
 * HTTP/2, several requests at a time on each connection. What a server that goes away has not begun, it says so,
 * and the client asks again on a new connection (RFC 9113, 8.7); everything else without an answer is lost.
 */
export async function http2Requests(target: LoadTarget): Promise<LoadResult> {
  const tally = new Tally(target)
  return await tally.run(async () => {
    while (!tally.isOver) {
      const session = connect(`http://127.0.0.1:${target.port}`)
      const closed = new Promise((resolve) => session.once('close', resolve))
      // What happens to a connection, its requests hear as well; but not that there is none.
      session.on('error', (failure) => session.connecting && tally.lost(failure))
      let mayAsk = true
      session.once('goaway', () => {
        mayAsk = false
      })
      await Promise.race([closed, new Promise((resolve) => session.once('connect', resolve))])
      const asking = Array.from({ length: atOnce }, async () => {
        while (mayAsk && !tally.isOver && !session.closed && !session.destroyed) {
          const outcome = await ask(session, target.path ?? '/slow?ms=2')
          mayAsk &&= outcome === 'answered'
          if (outcome === 'answered') tally.answered()
          else if (outcome === 'not begun') tally.askedAgain()
          else tally.lost(outcome)
        }
      })
      await Promise.all(asking)
      session.close()
      await closed
    }
  })
}

async function ask(session: ClientHttp2Session, path: string): Promise<string> {
  const stream = session.request({ ':path': path })
  const timer = setTimeout(() => stream.destroy(new Error('HANGS')), hangsMs)
  let body = ''
  let failure = ''
  stream.setEncoding('utf8').on('data', (text: string) => {
    body += text
  })
  stream.once('error', ({ message }) => {
    failure = message
  })
  await new Promise((resolve) => stream.once('close', resolve))
  clearTimeout(timer)
  if (body === 'done' && stream.rstCode === constants.NGHTTP2_NO_ERROR) return 'answered'
  if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM || stream.id === undefined) return 'not begun'
  return failure || `reset with ${stream.rstCode}`
}
