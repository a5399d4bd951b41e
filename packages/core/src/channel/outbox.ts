import { ChannelClosedError, ChannelFullError } from './worker-channel-errors.ts'

/** A message as JSON, with what its sender waits for. */
interface Letter {
  readonly text: string | undefined
  readonly resolve: () => void
}

/** On their way at once. A single message may be longer than the window. Lengths are in characters. */
const windowMessages = 64
const windowLength = 4 * 2 ** 20
/** Waiting for their turn. */
const mostWaiting = 10_000
const mostWaitingLength = 64 * 2 ** 20

/** What a channel has to send: so much is on its way, the rest waits in order, and too much is refused. */
export class Outbox {
  readonly #channel: string
  readonly #send: (text: string | undefined) => number
  readonly #waiting: Letter[] = []
  readonly #onTheirWay = new Map<number, Letter>()
  #waitingLength = 0
  #lengthOnTheirWay = 0
  #isClosed = false
  readonly #emptied = Promise.withResolvers<void>()

  /** `send` hands a message over and returns its number, under which `delivered` will speak of it. */
  constructor(channel: string, send: (text: string | undefined) => number) {
    this.#channel = channel
    this.#send = send
  }

  /** Resolves when the message is delivered. */
  post(text: string | undefined): Promise<void> {
    if (this.#isClosed) return Promise.reject(new ChannelClosedError(this.#channel))
    if (!this.#hasRoomFor(text)) return Promise.reject(new ChannelFullError(this.#channel))
    return new Promise((resolve) => {
      this.#waiting.push({ text, resolve })
      this.#waitingLength += lengthOf(text)
      this.#sendOn()
    })
  }

  delivered(id: number): void {
    const letter = this.#onTheirWay.get(id)
    if (!letter) return
    this.#onTheirWay.delete(id)
    this.#lengthOnTheirWay -= lengthOf(letter.text)
    letter.resolve()
    this.#sendOn()
    if (this.#isClosed && this.#isEmpty) this.#emptied.resolve()
  }

  /** Takes nothing more; resolves when what it has is delivered. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#isEmpty) return
    await this.#emptied.promise
  }

  get #isEmpty(): boolean {
    return this.#onTheirWay.size === 0 && this.#waiting.length === 0
  }

  #hasRoomFor(text: string | undefined): boolean {
    return (
      this.#waiting.length === 0 ||
      (this.#waiting.length < mostWaiting && this.#waitingLength + lengthOf(text) <= mostWaitingLength)
    )
  }

  #sendOn(): void {
    for (let next = this.#waiting[0]; next && this.#mayGo(next); next = this.#waiting[0]) {
      this.#waiting.shift()
      const length = lengthOf(next.text)
      this.#waitingLength -= length
      this.#lengthOnTheirWay += length
      this.#onTheirWay.set(this.#send(next.text), next)
    }
  }

  #mayGo({ text }: Letter): boolean {
    if (this.#onTheirWay.size === 0) return true
    return this.#onTheirWay.size < windowMessages && this.#lengthOnTheirWay + lengthOf(text) <= windowLength
  }
}

function lengthOf(text: string | undefined): number {
  return text?.length ?? 0
}
