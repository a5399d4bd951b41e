import type { ToSupervisor, ToWorker } from '../link/messages.ts'
import { CaptureFailedError } from './control-errors.ts'
import type { CaptureRequest } from './control-protocol.ts'

/** A worker as the desk needs it. */
export interface Captured {
  readonly pid: number | undefined
  send(message: ToWorker): void
}

interface Order<Worker> {
  readonly worker: Worker
  readonly resolve: () => void
  readonly reject: (reason: CaptureFailedError) => void
}

/** Orders captures from workers, and waits for them. */
export class CaptureDesk<Worker extends Captured> {
  readonly #orders = new Map<number, Order<Worker>>()
  #lastId = 0

  /** Resolves when the file is written; rejects with `CaptureFailedError`, also when the worker dies of it. */
  order(worker: Worker, request: CaptureRequest): Promise<void> {
    const id = ++this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#orders.set(id, { worker, resolve, reject })
    worker.send({ stepladder: 'capture', id, request })
    return promise
  }

  hear(message: ToSupervisor): void {
    if (message.stepladder !== 'captured') return
    const order = this.#orders.get(message.id)
    if (!order || !this.#orders.delete(message.id)) return
    if (message.failure === undefined) order.resolve()
    else order.reject(new CaptureFailedError(`Worker ${order.worker.pid}: ${message.failure}`))
  }

  /** A worker that is gone will not write anything any more. */
  leave(worker: Worker): void {
    for (const [id, order] of this.#orders) {
      if (order.worker !== worker) continue
      this.#orders.delete(id)
      order.reject(new CaptureFailedError(`Worker ${worker.pid} ended before its file was complete`))
    }
  }
}
