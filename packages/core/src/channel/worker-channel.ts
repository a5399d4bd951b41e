import type { Closeable } from '../closeable.ts'
import { type SupervisorLink, supervisorLink } from '../link/supervisor-link.ts'
import { checkOptionNames } from '../options.ts'
import { processInbox } from './inbox.ts'
import { Outbox } from './outbox.ts'
import { ChannelClosedError, InvalidMessageError } from './worker-channel-errors.ts'

/** Speaks to the other workers of this machine. */
export interface WorkerChannel extends Closeable {
  /**
   * Tells every other worker that has opened this channel; `message` is plain JSON, taken as it is now. Resolves
   * when all of them have handled it, save for one that has handled nothing for a second: it is waited for no
   * longer, until it answers again. Messages of one process arrive in the order of the calls.
   *
   * 64 messages (or 4 MB) are on their way at once; further ones wait for their turn. Rejects with
   * `ChannelFullError` when 10,000 (or 64 MB) wait already, with `InvalidMessageError` if JSON cannot carry the
   * message, and with `ChannelClosedError` after `close()`. Await it: that is how a sender slows down.
   */
  broadcast(message: unknown): Promise<void>
  /** Hears nothing more at once; resolves when what was broadcast is delivered. */
  close(): Promise<void>
}

export interface WorkerChannelOptions {
  /**
   * This process was silent for so long that messages were no longer kept for it; which ones, nobody knows. Called
   * when it answers again: drop what they would have changed, or load it anew.
   */
  readonly onMissed?: (() => void) | undefined
}

/**
 * Opens a named channel between the workers of one supervisor. `onMessage` hears the others, never this process.
 * A promise that it returns is waited for (at most 0.8 s) before the message counts as handled, though not before
 * the next one comes. If it throws, that is an uncaught exception, as in any event listener.
 *
 * A process that no supervisor runs is alone: `broadcast` reaches nobody and resolves at once.
 */
export function openWorkerChannel(
  name: string,
  onMessage: (message: unknown) => unknown,
  options: WorkerChannelOptions = {},
): WorkerChannel {
  checkOptionNames('openWorkerChannel', options, ['onMissed'])
  const { onMissed = () => {} } = options
  const link = supervisorLink()
  if (!link) return new LonelyChannel(name)
  return new LinkedChannel(link, name, processInbox(link).open(name, { onMessage, onMissed }))
}

class LinkedChannel implements WorkerChannel {
  readonly #name: string
  readonly #stopHearing: () => void
  readonly #stopListening: () => void
  readonly #outbox: Outbox

  constructor(link: SupervisorLink, name: string, stopHearing: () => void) {
    this.#name = name
    this.#stopHearing = stopHearing
    this.#outbox = new Outbox(name, (text) => {
      const id = link.nextId()
      link.send({ stepladder: 'broadcast', id, channel: name, text })
      return id
    })
    this.#stopListening = link.listen((message) => {
      if (message.stepladder === 'delivered') this.#outbox.delivered(message.id)
    })
  }

  async broadcast(message: unknown): Promise<void> {
    await this.#outbox.post(toText(this.#name, message))
  }

  async close(): Promise<void> {
    this.#stopHearing()
    await this.#outbox.close()
    this.#stopListening()
  }
}

/** Takes and refuses what a channel with others in it would. */
class LonelyChannel implements WorkerChannel {
  readonly #name: string
  #isClosed = false

  constructor(name: string) {
    this.#name = name
  }

  async broadcast(message: unknown): Promise<void> {
    if (this.#isClosed) throw new ChannelClosedError(this.#name)
    toText(this.#name, message)
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }
}

/** Written here and now: the sender may change it later, and the supervisor passes it on unread. */
function toText(channel: string, message: unknown): string | undefined {
  let text: string | undefined
  try {
    text = JSON.stringify(message)
  } catch (cause) {
    // JSON.stringify throws errors, and an app's own toJSON may throw anything.
    throw new InvalidMessageError(channel, cause instanceof Error ? cause.message : String(cause), { cause })
  }
  if (text === undefined && message !== undefined) {
    throw new InvalidMessageError(channel, `JSON has no ${typeof message}`)
  }
  return text
}
