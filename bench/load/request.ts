import { type Agent, get } from 'node:http'

/** How a request ended that got no good answer. A request `hangs` that hears nothing at all for four seconds. */
export type Failure = 'refused' | 'reset' | 'hangs' | 'bad status'

export interface Request {
  /** As `performance.now()` has it. */
  readonly sentAt: number
  readonly endedAt: number
  /** It went over a connection that had been used before, or might have been. */
  readonly isKept: boolean
  readonly failure?: Failure
}

export interface Target {
  readonly port: number
  readonly path: string
  /** Undefined: a connection of its own. */
  readonly agent?: Agent | undefined
}

const hangsMs = 4_000

/** Asks once, without a second try; never rejects. */
export function request({ port, path, agent }: Target): Promise<Request> {
  const sentAt = performance.now()
  return new Promise((resolve) => {
    const end = (failure?: Failure) => {
      clearTimeout(timer)
      const ended = { sentAt, endedAt: performance.now(), isKept: agent !== undefined }
      resolve(failure ? { ...ended, failure } : ended)
    }
    const asked = get({ host: '127.0.0.1', port, path, agent: agent ?? false }, (response) => {
      const ending = response.statusCode === 200 ? undefined : 'bad status'
      response
        .resume()
        .once('end', () => end(ending))
        .once('error', () => end('reset'))
    })
    asked.once('error', (error: NodeJS.ErrnoException) =>
      end(error.code === 'ECONNREFUSED' ? 'refused' : 'reset'),
    )
    const timer = setTimeout(() => {
      end('hangs')
      asked.destroy()
    }, hangsMs)
  })
}
