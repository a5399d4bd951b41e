import { type Clock, systemClock } from '../clock.ts'
import type { ChannelMessage, ToSupervisor } from '../link/messages.ts'
import { type Member, Recipient } from './recipient.ts'

/** A broadcast whose sender has not been told yet that all have handled it. */
interface Broadcast {
  readonly awaited: Set<Recipient>
  readonly finish: () => void
}

/**
 * How long a broadcast waits for a worker that does not answer, in milliseconds. Longer than it takes to find
 * one silent, so that what waited behind this broadcast does not wait for the same worker.
 */
const deliveredWithinMs = 1_000

/**
 * The supervisor's end of every worker channel: passes a broadcast to all other workers, in the order in which
 * its sender sent, and says when they have handled it. Holds no more than a bounded lot for any of them.
 */
export class MessageHub {
  readonly #recipients = new Map<Member, Recipient>()
  readonly #unfinished = new Map<number, Broadcast>()
  readonly #clock: Clock
  #lastId = 0

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  join(member: Member): void {
    this.#recipients.set(member, new Recipient(member, this.#clock))
  }

  /** A worker that is gone will not handle anything any more. */
  leave(member: Member): void {
    const recipient = this.#recipients.get(member)
    this.#recipients.delete(member)
    for (const broadcast of this.#unfinished.values()) settle(broadcast, recipient)
  }

  hear(from: Member, message: ToSupervisor): void {
    const recipient = this.#recipients.get(from)
    if (!recipient) return
    if (message.stepladder === 'opened') recipient.opened(message.channel)
    if (message.stepladder === 'broadcast') this.#broadcast(from, message)
    if (message.stepladder === 'handled') {
      recipient.handled(message.id)
      settle(this.#unfinished.get(message.id), recipient)
    }
  }

  #broadcast(from: Member, { id: fromId, channel, text }: ChannelMessage): void {
    const id = ++this.#lastId
    const others = [...this.#recipients].filter(([member]) => member !== from).map(([, other]) => other)
    // Asked before it is sent, since that may be what makes one silent.
    const awaited = new Set(others.filter((other) => other.heeds(channel)))
    for (const other of others) other.deliver({ id, channel, text })

    const finish = () => {
      if (!this.#unfinished.delete(id)) return
      timer.cancel()
      from.send({ stepladder: 'delivered', id: fromId })
    }
    const timer = this.#clock.after(deliveredWithinMs, finish).unref()
    this.#unfinished.set(id, { awaited, finish })
    if (awaited.size === 0) finish()
  }
}

function settle(broadcast: Broadcast | undefined, recipient: Recipient | undefined): void {
  if (!broadcast || !recipient) return
  broadcast.awaited.delete(recipient)
  if (broadcast.awaited.size === 0) broadcast.finish()
}
