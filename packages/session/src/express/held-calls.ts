import type { ServerResponse } from 'node:http'
import type { WriterName } from './response-writers.ts'
import { headersSent, SentFace } from './sent-face.ts'

/** A call of a writer, as the app made it. */
export interface HeldCall {
  readonly name: WriterName
  readonly args: unknown[]
}

/** What an app writes while its response is held back, in order. To the app it looks as if it was sent. */
export class HeldCalls {
  /** Somebody was told to wait for 'drain'. */
  isDrainDue = false
  readonly #response: ServerResponse
  readonly #face: SentFace
  readonly #calls: HeldCall[] = []
  #isHeadKept: boolean

  constructor(response: ServerResponse) {
    this.#response = response
    this.#isHeadKept = response.headersSent
    this.#face = new SentFace(response)
  }

  /** Returns what the writer would: `write` asks for patience. */
  keep(name: WriterName, args: unknown[]): unknown {
    if (name === 'writeHead') this.#keepHead(args)
    this.#isHeadKept = true
    this.#calls.push({ name, args })
    if (name === 'end') this.#face.end()
    if (name === 'flushHeaders') return undefined
    if (name !== 'write') return this.#response
    this.isDrainDue = true
    return false
  }

  /** The calls, to be made now. */
  take(): readonly HeldCall[] {
    this.#face.remove()
    return this.#calls
  }

  /** Lets go of the calls; whoever waits for one of them hears of the failure. */
  drop(failure: unknown): void {
    this.#face.remove()
    for (const { args } of this.#calls) tellCallback(args, failure)
  }

  /** As Node: a second head is the app's mistake, and it is to hear of it where it made it. */
  #keepHead([status]: readonly unknown[]): void {
    if (this.#isHeadKept) throw headersSent('write')
    if (typeof status === 'number') this.#face.keepStatus(status)
  }
}

/** Calls back, if one of the arguments is a callback. */
export function tellCallback(args: readonly unknown[], failure: unknown): void {
  const callback = args.findLast((arg) => typeof arg === 'function')
  if (callback) process.nextTick(callback, failure)
}
