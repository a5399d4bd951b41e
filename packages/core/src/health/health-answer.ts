import type { IncomingMessage, ServerResponse } from 'node:http'

/** What `/readyz` says: ready is 200, anything else 503. */
export interface ReadyAnswer {
  readonly status: 'ready' | 'not ready' | 'stopping'
}

/**
 * Answers `/livez` and `/readyz`, GET and HEAD; false when something else was asked. `look` is given whether
 * the asker wants details (`?verbose`), and never rejects.
 */
export function answerHealth(
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  look: (isVerbose: boolean) => ReadyAnswer | Promise<ReadyAnswer>,
): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  const [path, query] = url.split('?', 2)
  if (path === '/livez') {
    // Whoever can say this is alive: a process that hangs says nothing, and a probe takes that for an answer.
    send(response, 200, { status: 'alive' })
    return true
  }
  if (path !== '/readyz') return false
  void Promise.resolve(look(new URLSearchParams(query).has('verbose'))).then((answer) =>
    send(response, answer.status === 'ready' ? 200 : 503, answer),
  )
  return true
}

function send(response: ServerResponse, statusCode: number, body: object): void {
  const text = JSON.stringify(body)
  response.statusCode = statusCode
  response.setHeader('Content-Type', 'application/json; charset=utf-8')
  response.setHeader('Content-Length', Buffer.byteLength(text))
  response.setHeader('Cache-Control', 'no-store')
  // Node leaves the body of an answer to HEAD out by itself.
  response.end(text)
}
