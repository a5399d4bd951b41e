import type { ServerResponse } from 'node:http'

/** The four methods that send something of an answer. */
export type WriterName = 'writeHead' | 'write' | 'end' | 'flushHeaders'
export type Writer = (this: ServerResponse, ...args: unknown[]) => unknown
export type Writers = Readonly<Record<WriterName, Writer>>

/** The writers that a response has now: Node's, or those of middleware that came before. */
export function writersOf(response: ServerResponse): Writers {
  const { writeHead, write, end, flushHeaders } = response
  // Their overloads say more than one signature can.
  return { writeHead, write, end, flushHeaders } as Writers
}
