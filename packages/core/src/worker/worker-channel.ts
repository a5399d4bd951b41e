import type { Closeable } from '../closeable.ts'
import type { ToWorker } from '../cluster/messages.ts'
import { type SupervisorLink, supervisorLink } from './supervisor-link.ts'

/** Speaks to the other workers of this machine. */
export interface WorkerChannel extends Closeable {
  /**
   * Tells every other worker that has opened this channel. Resolves when all of them have handled the
   * message, or after one second, whichever comes first. Rejects if the message is none that JSON carries.
   */
  post(message: unknown): Promise<void>
}

/**
 * Opens a named channel between the workers of one supervisor. `onMessage` hears the others, never this
 * process. A process that no supervisor runs is alone: `post` reaches nobody and resolves at once.
 */
export function openWorkerChannel(name: string, onMessage: (message: unknown) => void): WorkerChannel {
  const link = supervisorLink()
  return link ? overLink(link, name, onMessage) : { post: async () => {}, close: async () => {} }
}

function overLink(
  link: SupervisorLink,
  channel: string,
  onMessage: (message: unknown) => void,
): WorkerChannel {
  const waiting = new Map<number, () => void>()
  const stop = link.listen((message: ToWorker) => {
    if (message.stepladder === 'posted') {
      waiting.get(message.id)?.()
      waiting.delete(message.id)
    }
    if (message.stepladder === 'deliver' && message.channel === channel) onMessage(message.message)
  })
  return {
    post(message) {
      const id = link.nextId()
      return new Promise((resolve, reject) => {
        waiting.set(id, resolve)
        link.send({ stepladder: 'post', id, channel, message }).catch((failure: unknown) => {
          waiting.delete(id)
          reject(failure)
        })
      })
    },
    async close() {
      stop()
      for (const resolve of waiting.values()) resolve()
      waiting.clear()
    },
  }
}
