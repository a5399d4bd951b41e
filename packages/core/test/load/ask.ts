import { type Agent, type RequestOptions, request } from 'node:http'
import { hangsMs } from './load.ts'

export interface Asked {
  readonly port: number
  readonly path: string
  /** False: a connection of its own. */
  readonly agent: Agent | false
  readonly method?: string
  /** Writes the body, as slowly as it likes. Default: none. */
  readonly send?: (write: (part: Buffer) => void) => Promise<void>
}

/** Asks once, without a second try; resolves to the body, and rejects when there is none in time. */
export function ask({ port, path, agent, method = 'GET', send }: Asked): Promise<string> {
  const options: RequestOptions = { host: '127.0.0.1', port, path, agent, method }
  return new Promise((resolve, reject) => {
    const asked = request(options, (response) => {
      let body = ''
      response
        .setEncoding('utf8')
        .on('data', (text: string) => {
          body += text
        })
        .once('end', () => {
          clearTimeout(timer)
          if (response.statusCode === 200) resolve(body)
          else reject(coded(`STATUS_${response.statusCode}`))
        })
        .once('error', fail)
    })
    const timer = setTimeout(() => asked.destroy(coded('HANGS')), hangsMs)
    const fail = (failure: Error) => {
      clearTimeout(timer)
      reject(failure)
    }
    asked.once('error', fail)
    if (send) send((part) => void asked.write(part)).then(() => asked.end(), reject)
    else asked.end()
  })
}

export function coded(code: string): Error {
  return Object.assign(new Error(code), { code })
}
