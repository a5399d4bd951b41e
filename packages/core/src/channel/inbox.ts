import { withDeadline } from '../deadline.ts'
import type { ChannelMessage } from '../link/messages.ts'
import type { SupervisorLink } from '../link/supervisor-link.ts'

/** One end of a channel in this process. */
export interface Listener {
  /** What it returns is waited for before the message counts as handled. */
  readonly onMessage: (message: unknown) => unknown
  /** This process was silent for so long that messages were not kept for it. */
  readonly onMissed: () => void
}

/** A handler that takes longer is no longer waited for: the supervisor must not take it for a hang. Milliseconds. */
const handledWithinMs = 800

/** What the other workers say to the channels of this process; tells the supervisor when it is handled. */
export class Inbox {
  readonly #link: SupervisorLink
  readonly #listeners = new Map<string, Set<Listener>>()

  constructor(link: SupervisorLink) {
    this.#link = link
    link.listen((message) => {
      if (message.stepladder === 'deliver') this.#receive(message)
      if (message.stepladder === 'missed') {
        for (const channel of message.channels) for (const each of this.#of(channel)) each.onMissed()
      }
    })
  }

  /** The returned function ends it. */
  open(channel: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners.add(listener))
    this.#link.send({ stepladder: 'opened', channel })
    return () => void listeners.delete(listener)
  }

  async #receive({ id, channel, text }: ChannelMessage): Promise<void> {
    const listeners = [...this.#of(channel)]
    if (listeners.length > 0) {
      const message: unknown = text === undefined ? undefined : JSON.parse(text)
      const underWay = listeners.map(async ({ onMessage }) => onMessage(message)).map(orThrow)
      await withDeadline('Handling a message', handledWithinMs, () => Promise.all(underWay)).catch(() => {})
    }
    this.#link.send({ stepladder: 'handled', id })
  }

  #of(channel: string): ReadonlySet<Listener> {
    return this.#listeners.get(channel) ?? new Set()
  }
}

/** A listener that fails is an uncaught exception, as one of an EventEmitter would be; it has handled the message. */
function orThrow(handled: Promise<unknown>): Promise<unknown> {
  return handled.catch((failure: unknown) => {
    process.nextTick(() => {
      throw failure
    })
  })
}

const key = Symbol.for('stepladder.inbox')

/** The inbox of this process: one, also when two copies of this package are installed, since each message is handled once. */
export function processInbox(link: SupervisorLink): Inbox {
  // Nobody else writes under our key.
  const shared = globalThis as { [key]?: Inbox }
  shared[key] ??= new Inbox(link)
  return shared[key]
}
