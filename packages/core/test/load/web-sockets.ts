import { sleep } from '@stepladder/core'
import { seededRandom } from '@stepladder/core/testing'
import { WebSocket } from 'ws'
import { hangsMs, type LoadResult, type LoadTarget, Tally } from './load.ts'

/** The longest that a client rests between two messages, in milliseconds. */
const longestRestMs = 10

/**
 * WebSockets that ask for an echo now and then. One that is told to go away connects anew and asks again; an echo
 * that neither comes nor is followed by a close frame is lost.
 */
export async function webSockets(target: LoadTarget): Promise<LoadResult> {
  const random = seededRandom(target.seed)
  const tally = new Tally(target)
  return await tally.run(async () => {
    let asked = 0
    while (!tally.isOver) {
      const socket = new WebSocket(`ws://127.0.0.1:${target.port}${target.path ?? '/'}`)
      const ended = endOf(socket)
      const opened = new Promise<string>((resolve) => socket.once('open', () => resolve('open')))
      const beginning = await Promise.race([opened, ended])
      if (beginning !== 'open') tally.lost(beginning)
      while (!tally.isOver && socket.readyState === WebSocket.OPEN) {
        await sleep(random() * longestRestMs)
        asked += 1
        const outcome = await Promise.race([ended, echo(socket, `message ${asked}`)])
        if (outcome === 'echoed') tally.answered()
        else if (outcome === 'going away') tally.askedAgain()
        else tally.lost(outcome)
      }
      socket.close()
      await ended
    }
  })
}

async function endOf(socket: WebSocket): Promise<string> {
  let failure = ''
  socket.on('error', ({ message }) => {
    failure = message
  })
  const code = await new Promise<number>((resolve) => socket.once('close', resolve))
  return code === 1001 ? 'going away' : failure || `closed with ${code}`
}

async function echo(socket: WebSocket, message: string): Promise<string> {
  const answer = await new Promise<string>((resolve) => {
    const timer = setTimeout(resolve, hangsMs, 'HANGS')
    socket.once('message', (data) => {
      clearTimeout(timer)
      resolve(String(data))
    })
    if (socket.readyState === WebSocket.OPEN) socket.send(message)
  })
  return answer === message ? 'echoed' : answer
}
