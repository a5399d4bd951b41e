import { once } from 'node:events'
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  type RequestListener,
  request,
} from 'node:http'
import type { AddressInfo } from 'node:net'

export interface RunningServer {
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/** On a free port. */
export async function serve(listener: RequestListener): Promise<RunningServer> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A server that listens on a port has an address of this kind.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly cookies: readonly string[]
  readonly body: string
  readonly trailers: IncomingMessage['trailers']
  /** It was broken off. */
  readonly isCut: boolean
  /** As the status lines of 1xx answers came before it. */
  readonly hints: readonly number[]
}

export interface Asked {
  readonly method?: string
  readonly cookie?: string | undefined
  readonly headers?: Record<string, string>
}

/** Follows no redirect, and takes a body that is cut short as it comes. Rejects when the connection ends without an answer. */
export async function ask(
  url: string,
  { method = 'GET', cookie, headers = {} }: Asked = {},
): Promise<Answer> {
  const hints: number[] = []
  const all = cookie === undefined ? headers : { ...headers, cookie }
  const asked = request(url, { method, headers: all, agent: false })
  asked.on('information', ({ statusCode }) => hints.push(statusCode))
  asked.end()
  return read(asked, hints)
}

async function read(asked: ClientRequest, hints: readonly number[]): Promise<Answer> {
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  let body = ''
  let isCut = false
  response.setEncoding('utf8').on('data', (text) => {
    body += text
  })
  response.on('error', () => {})
  await new Promise<void>((resolve) => response.on('close', resolve))
  isCut = !response.complete
  const { statusCode = 0, headers, trailers } = response
  return { status: statusCode, headers, cookies: headers['set-cookie'] ?? [], body, trailers, isCut, hints }
}

/** What a browser sends back for the session's `Set-Cookie`. */
export function sessionCookie({ cookies }: { readonly cookies: readonly string[] }): string {
  const found = cookies.find((cookie) => cookie.startsWith('__Host-session='))
  if (found === undefined) throw new Error(`No session cookie among ${JSON.stringify(cookies)}`)
  return found.split(';')[0]!
}
