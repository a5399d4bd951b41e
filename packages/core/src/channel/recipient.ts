import type { Clock } from '../clock.ts'
import type { ChannelMessage, ToWorker } from '../link/messages.ts'

/** A worker as the hub needs it. */
export interface Member {
  send(message: ToWorker): void
}

/** What a worker that has been silent for so long may leave unhandled; of the rest it is told that it missed it. */
const mostUnhandled = 1_000
const mostUnhandledLength = 8 * 2 ** 20

/** A worker whose oldest message is unhandled for so long is silent, in milliseconds. */
const silentMs = 900

/**
 * What is on its way to one worker. That is held in the supervisor's memory while the worker does not read,
 * so it is bounded: by what the senders let out before they hear of it, and from then on by the limits above.
 *
 *   heeding --its oldest message unhandled for too long--> silent --no room--> missing
 *   heeding <--its messages handled----------------------- silent <----------- missing (told which channels)
 */
export class Recipient {
  readonly #member: Member
  readonly #clock: Clock
  readonly #unhandled = new Map<number, { readonly sentAt: number; readonly length: number }>()
  #unhandledLength = 0
  readonly #opened = new Set<string>()
  readonly #missed = new Set<string>()

  constructor(member: Member, clock: Clock) {
    this.#member = member
    this.#clock = clock
  }

  /** It has said that it listens to this channel. */
  opened(channel: string): void {
    this.#opened.add(channel)
  }

  /** Whether to wait until it has handled a message of this channel: it listens, and has not been silent for long. */
  heeds(channel: string): boolean {
    return this.#opened.has(channel) && !this.#isSilent
  }

  /** Sends it also to one that has opened nothing yet: that word may be on its way. */
  deliver({ id, channel, text }: ChannelMessage): void {
    const length = text?.length ?? 0
    if (this.#isSilent && (this.#missed.size > 0 || !this.#hasRoomFor(length))) {
      this.#missed.add(channel)
      return
    }
    this.#unhandled.set(id, { sentAt: this.#clock.monotonic(), length })
    this.#unhandledLength += length
    this.#member.send({ stepladder: 'deliver', id, channel, text })
  }

  handled(id: number): void {
    const delivery = this.#unhandled.get(id)
    if (!delivery) return
    this.#unhandled.delete(id)
    this.#unhandledLength -= delivery.length
    if (this.#missed.size === 0 || this.#isSilent) return
    this.#member.send({ stepladder: 'missed', channels: [...this.#missed] })
    this.#missed.clear()
  }

  get #isSilent(): boolean {
    // A map remembers the order in which its keys came.
    const [oldest] = this.#unhandled.values()
    return oldest !== undefined && this.#clock.monotonic() - oldest.sentAt >= silentMs
  }

  #hasRoomFor(length: number): boolean {
    return this.#unhandled.size < mostUnhandled && this.#unhandledLength + length <= mostUnhandledLength
  }
}
