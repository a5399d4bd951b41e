import net from 'node:net'
import { constants } from 'node:os'
import { resolve } from 'node:path'
import type { ClusterSettings } from '../cluster/cluster-options.ts'
import type { ToSupervisor } from '../link/messages.ts'
import {
  type ListenQuery,
  type NativeHandle,
  type SocketName,
  sayingWhenClosed,
} from '../link/native-handle.ts'
import { DispatchedSocket } from './dispatched-socket.ts'
import { listenTrouble } from './listen-trouble.ts'
import type { Listener, ListeningSocket } from './listening-socket.ts'
import { SharedSocket } from './shared-socket.ts'

type Settings = Pick<ClusterSettings, 'distribution' | 'balance' | 'log'>

/**
 * The listening sockets of the app. The supervisor opens them and keeps them, so that a port stays open
 * when all workers are dead: who connects meanwhile waits in the kernel's queue for the next worker.
 */
export class ListeningSockets {
  readonly #sockets = new Map<string, ListeningSocket>()
  readonly #settings: Settings
  readonly #troubles = new Set<string>()

  constructor(settings: Settings) {
    this.#settings = settings
  }

  hear(worker: Listener, message: ToSupervisor, handle?: NativeHandle): void {
    if (message.stepladder === 'listen') this.#open(worker, message)
    if (message.stepladder === 'unlisten') this.#release(worker, message.key)
    if (message.stepladder === 'accepted') this.#sockets.get(message.key)?.settle(worker, message)
    if (message.stepladder === 'passed' && handle) this.#pass(worker, message, handle)
    if (message.stepladder === 'released') this.#dispatched(message.key)?.release(worker)
  }

  /** The worker is gone, or going: what was on its way to it goes to the others; the sockets stay open. */
  leave(worker: Listener): void {
    for (const socket of this.#sockets.values()) socket.leave(worker)
  }

  /** Closes the sockets that no worker listens on any more: a new build may listen elsewhere. Not while one is missing. */
  prune(): void {
    for (const [key, { listeners }] of this.#sockets) if (listeners.size === 0) this.#close(key)
  }

  close(): void {
    for (const key of this.#sockets.keys()) this.#close(key)
  }

  #open(worker: Listener, { id, query, nth, data }: Extract<ToSupervisor, { stepladder: 'listen' }>): void {
    const key = keyOf(query, nth)
    const isTwice = this.#sockets.get(key)?.listeners.has(worker) ?? false
    const open = isTwice
      ? -constants.errno.EADDRINUSE
      : (this.#sockets.get(key) ?? this.#bind(key, query, data))
    if (typeof open === 'number') {
      this.#sayOnce(listenTrouble(query, open, isTwice))
      worker.send({ stepladder: 'socket', id, key, errno: open })
      return
    }
    this.#sockets.set(key, open)
    open.join(worker, id)
  }

  #bind(key: string, query: ListenQuery, data: unknown): ListeningSocket | number {
    const handle = bind(query)
    if (typeof handle === 'number') return handle
    const { distribution, balance } = this.#settings
    if (distribution !== 'dispatch') return new SharedSocket(key, handle, data)
    // Node says 0 where the app did not say, and means its default.
    const failure = handle.listen(query.backlog || defaultBacklog)
    if (failure === 0) return new DispatchedSocket({ key, handle, data, balance })
    handle.close()
    return failure
  }

  /** The app closed its server, or its worker drains: only in the first case nobody is to be served there. */
  #release(worker: Listener, key: string): void {
    const socket = this.#sockets.get(key)
    socket?.leave(worker)
    if (socket?.listeners.size === 0 && worker.state === 'serving') this.#close(key)
  }

  /** Each worker that starts meets the same. */
  #sayOnce(trouble: string): void {
    if (!this.#troubles.has(trouble)) this.#settings.log(trouble)
    this.#troubles.add(trouble)
  }

  #pass(
    worker: Listener,
    { key, id }: Extract<ToSupervisor, { stepladder: 'passed' }>,
    client: NativeHandle,
  ): void {
    const socket = this.#sockets.get(key)
    // This end is closed when another worker has it, or nobody will.
    const passed = sayingWhenClosed(client, () => worker.send({ stepladder: 'taken', id }))
    if (socket) socket.pass(passed)
    else passed.close()
  }

  #close(key: string): void {
    this.#sockets.get(key)?.close()
    this.#sockets.delete(key)
  }

  #dispatched(key: string): DispatchedSocket | undefined {
    const socket = this.#sockets.get(key)
    return socket instanceof DispatchedSocket ? socket : undefined
  }
}

/** Node's own for a server that does not say. */
const defaultBacklog = 511

/** Workers that ask for the same address share its socket; of port 0 each worker's nth is the same one. */
function keyOf({ address, port, addressType, fd }: ListenQuery, nth: number): string {
  return [address ?? '', port, addressType, fd ?? '', port === 0 ? nth : ''].join('|')
}

/** A bound handle, or the number of the error. */
function bind({ address, port, addressType, fd, flags }: ListenQuery): NativeHandle | number {
  const isPath = (port ?? 0) < 0 && address !== null && process.platform !== 'win32'
  // Node's own cluster binds with this function; it has no public name.
  const node = net as unknown as { _createServerHandle(...query: unknown[]): NativeHandle | number }
  const handle = node._createServerHandle(isPath ? resolve(address) : address, port, addressType, fd, flags)
  if (typeof handle === 'number' || isBoundTo(handle, port)) return handle
  handle.close()
  return -constants.errno.EADDRINUSE
}

/** Of a port that is in use the system may say so only later; until then the handle is bound to none. */
function isBoundTo(handle: NativeHandle, port: number | null): boolean {
  const name: SocketName = {}
  const errno = handle.getsockname?.(name) ?? 0
  return !port || port < 0 || (errno === 0 && name.port === port)
}
