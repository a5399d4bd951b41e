import cluster from 'node:cluster'
import type { Distribution } from '../cluster/cluster-options.ts'
import { isOurs, type ToSupervisor, type ToWorker } from './messages.ts'
import type { NativeHandle } from './native-handle.ts'

/** Set by the supervisor for its workers; holds a `WorkerSituation` as JSON. */
export const situationVariable = 'STEPLADDER_WORKER'

/** What a worker must know from its first moment on. */
export interface WorkerSituation {
  /** How long a drain may take where the supervisor did not say, in milliseconds. */
  readonly drainMs: number
  readonly distribution: Distribution
  /** An event loop that stands still for so long hangs, in milliseconds; undefined: it is not watched. */
  readonly hangMs?: number | undefined
}

/** The worker's end of the channel to its supervisor. */
export interface SupervisorLink {
  readonly situation: WorkerSituation
  /** Numbers that no other message of this process bears. */
  nextId(): number
  /** Resolves when the message has left this process, with a copy of the socket, so that an exit does not lose it. */
  send(message: ToSupervisor, handle?: NativeHandle): Promise<void>
  /** Hears what the supervisor says, and the socket that came with it; the returned function ends that. */
  listen(listener: (message: ToWorker, handle?: unknown) => void): () => void
}

const key = Symbol.for('stepladder.supervisor-link')

/** The link of this process, or undefined where no supervisor of ours runs it. */
export function supervisorLink(): SupervisorLink | undefined {
  // One link for the process, also when two copies of this package are installed; nobody else writes here.
  const shared = globalThis as { [key]?: SupervisorLink | undefined }
  if (key in shared) return shared[key]
  shared[key] = openLink()
  return shared[key]
}

function openLink(): SupervisorLink | undefined {
  const text = process.env[situationVariable]
  // A process that this one starts has another parent, whatever cluster it may run.
  delete process.env[situationVariable]
  if (!cluster.isWorker || text === undefined) return undefined

  let lastId = 0
  const listeners = new Set<(message: ToWorker, handle?: unknown) => void>()
  process.on('message', (message: unknown, handle: unknown) => {
    // Only the supervisor writes to this channel, and it is of the same version.
    if (isOurs(message)) for (const listener of listeners) listener(message as ToWorker, handle)
  })
  return {
    // Only our supervisor sets the variable, and it is of the same version.
    situation: JSON.parse(text) as WorkerSituation,
    nextId: () => ++lastId,
    async send(message, handle) {
      // A supervisor that is gone ends this process by itself; until then there is nobody to tell.
      if (!process.connected) return
      // Node's types know sockets and servers, and not what stands beneath them.
      await new Promise<void>((resolve) => process.send?.(message, handle as never, () => resolve()))
    },
    listen(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
