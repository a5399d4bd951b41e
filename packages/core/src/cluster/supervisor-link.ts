import cluster from 'node:cluster'
import { isOurs, type ToSupervisor, type ToWorker } from './messages.ts'

/** Set by the supervisor for its workers, so that a worker of somebody else's cluster is not taken for one. */
export const supervisedVariable = 'STEPLADDER_SUPERVISED'

/** The worker's end of the channel to its supervisor. */
export interface SupervisorLink {
  /** Resolves when the message has left this process, so that an exit does not lose it. */
  send(message: ToSupervisor): Promise<void>
  /** Hears what the supervisor says; the returned function ends that. */
  listen(listener: (message: ToWorker) => void): () => void
}

/** The link of this process, or undefined where no supervisor of ours runs it. */
export function supervisorLink(): SupervisorLink | undefined {
  if (!cluster.isWorker || process.env[supervisedVariable] === undefined) return undefined
  return {
    async send(message) {
      // A supervisor that is gone ends this process by itself; until then there is nobody to tell.
      if (!process.connected) return
      await new Promise<void>((resolve) => process.send?.(message, () => resolve()))
    },
    listen(listener) {
      const hear = (message: unknown) => {
        // Only the supervisor writes to this channel, and it is of the same version.
        if (isOurs(message)) listener(message as ToWorker)
      }
      process.on('message', hear)
      return () => void process.off('message', hear)
    },
  }
}
