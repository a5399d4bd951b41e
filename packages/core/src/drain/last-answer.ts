import type { ServerResponse } from 'node:http'

/**
 * Lets an answer say `Connection: close` if it is the last on its connection, which is asked when its head is
 * written and no sooner. Apps that copy the headers of an upstream have set `Connection: keep-alive` by then, and
 * their clients would come back to a worker that goes.
 */
export function closeAfterLast(response: ServerResponse, isLast: () => boolean): void {
  if (response.headersSent) return
  // Whatever begins an answer, `end` and `write` included, comes through this method.
  const writeHead = response.writeHead.bind(response) as (...words: unknown[]) => ServerResponse
  const writeLastHead = (...words: unknown[]): ServerResponse => {
    if (response.headersSent || !isLast()) return writeHead(...words)
    response.setHeader('Connection', 'close')
    return writeHead(...words.map(withoutConnection))
  }
  // It takes what the other one takes, in all the forms of its overloads.
  response.writeHead = writeLastHead as ServerResponse['writeHead']
}

/** Of the headers that `writeHead` is given, as an object, a flat list or pairs. */
function withoutConnection(word: unknown): unknown {
  if (typeof word !== 'object' || word === null) return word
  if (!Array.isArray(word)) return Object.fromEntries(Object.entries(word).filter(([name]) => isOther(name)))
  if (word.some(Array.isArray)) return word.filter(([name]) => isOther(name))
  return word.filter((_, index) => isOther(word[index - (index % 2)]))
}

function isOther(name: unknown): boolean {
  return String(name).toLowerCase() !== 'connection'
}
