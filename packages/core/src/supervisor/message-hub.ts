import { type Clock, systemClock } from '../clock.ts'
import type { ToSupervisor, ToWorker } from '../cluster/messages.ts'

/** A worker as the hub needs it. */
export interface Member {
  send(message: ToWorker): void
}

interface Delivery {
  readonly unhandled: Set<Member>
  readonly finish: () => void
}

/** How long a post waits for workers that do not answer. */
const handledWithinMs = 1_000

/** The supervisor's end of every worker channel: passes a post to all other workers, and says when they have it. */
export class MessageHub {
  readonly #members = new Set<Member>()
  readonly #deliveries = new Map<number, Delivery>()
  readonly #clock: Clock
  #lastId = 0

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  join(member: Member): void {
    this.#members.add(member)
  }

  /** A worker that is gone will not handle anything any more. */
  leave(member: Member): void {
    this.#members.delete(member)
    for (const id of this.#deliveries.keys()) this.#settle(id, member)
  }

  hear(from: Member, message: ToSupervisor): void {
    if (message.stepladder === 'post') this.#deliver(from, message)
    if (message.stepladder === 'handled') this.#settle(message.id, from)
  }

  #deliver(
    from: Member,
    { id: fromId, channel, message }: Extract<ToSupervisor, { stepladder: 'post' }>,
  ): void {
    const id = ++this.#lastId
    const unhandled = new Set([...this.#members].filter((member) => member !== from))
    const finish = () => {
      if (!this.#deliveries.delete(id)) return
      timer.cancel()
      from.send({ stepladder: 'posted', id: fromId })
    }
    const timer = this.#clock.after(handledWithinMs, finish).unref()
    this.#deliveries.set(id, { unhandled, finish })
    for (const member of unhandled) member.send({ stepladder: 'deliver', id, channel, message })
    if (unhandled.size === 0) finish()
  }

  #settle(id: number, member: Member): void {
    const delivery = this.#deliveries.get(id)
    delivery?.unhandled.delete(member)
    if (delivery?.unhandled.size === 0) delivery.finish()
  }
}
