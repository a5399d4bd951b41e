import cluster from 'node:cluster'
import { subscribe } from 'node:diagnostics_channel'
import module from 'node:module'
import { constants } from 'node:os'
import type { ToWorker } from '../link/messages.ts'
import { type ListenQuery, type NativeHandle, sayingWhenClosed } from '../link/native-handle.ts'
import type { SupervisorLink } from '../link/supervisor-link.ts'
import { DispatchedHandle } from './dispatched-handle.ts'

/** What Node's net and tls servers are beside their public names. */
interface AskingServer {
  _getServerData?(): unknown
  _setServerData?(data: unknown): void
}
type Reply = (errno: number, handle: NativeHandle | null) => void

/** Under which key the supervisor keeps the socket that a server of this worker listens on, if it does. */
export type KeyOf = (server: object) => string | undefined

/** An app that listens in this worker gets its sockets from the supervisor, and need not know. */
export function takeSocketsFrom(link: SupervisorLink): KeyOf {
  if (link.situation.distribution === 'reuseport') listenBesideEachOther()
  const asked = new Map<
    number,
    (message: Extract<ToWorker, { stepladder: 'socket' }>, handle: unknown) => void
  >()
  const dispatched = new Map<string, DispatchedHandle>()
  const shared = new Map<string, NativeHandle>()
  const keys = new WeakMap<object, string>()
  let zeroPorts = 0

  const ask = (server: AskingServer, query: ListenQuery, reply: Reply) => {
    if (typeof query.addressType === 'string') return reply(-constants.errno.ENOTSUP, null)
    const id = link.nextId()
    asked.set(id, ({ key, errno, data, name }, handle) => {
      if (errno !== undefined) return reply(errno, null)
      server._setServerData?.(data)
      const close = () => void link.send({ stepladder: 'unlisten', key })
      keys.set(server, key)
      if (!name) {
        shared.set(key, handle as NativeHandle)
        return reply(
          0,
          sayingWhenClosed(handle as NativeHandle, () => shared.delete(key) && close()),
        )
      }
      const own = new DispatchedHandle(name, { key, link, onClose: close })
      dispatched.set(key, own)
      reply(0, own)
    })
    const { address, port, addressType, fd, flags, backlog } = query
    const nth = port === 0 ? ++zeroPorts : 0
    const data = server._getServerData?.() ?? null
    const plain = { address, port, addressType, fd, flags, backlog }
    link.send({ stepladder: 'listen', id, query: plain, nth, data })
    keepCompiledCode()
  }
  // Node asks its cluster module for a socket when an app in a worker listens: no public name for that.
  const node = cluster as unknown as { _getServer: typeof ask }
  node._getServer = ask

  link.listen((message, handle) => {
    if (message.stepladder === 'socket') {
      asked.get(message.id)?.(message, handle)
      asked.delete(message.id)
    }
    if (message.stepladder === 'connection') {
      // It came with the message: see DispatchedSocket.
      const client = handle as NativeHandle | undefined
      const own = dispatched.get(message.key)
      const listening = own?.hasRoom ? own : shared.get(message.key)
      const isTaken = client !== undefined && listening?.onconnection !== undefined
      link.send({ stepladder: 'accepted', key: message.key, id: message.id, isTaken })
      if (!isTaken) client?.close()
      else if (own) own.take(client)
      else listening.onconnection?.(0, client)
    }
  })
  return (server) => keys.get(server)
}

/** Each worker gets listening sockets of its own, among which the kernel divides new connections. */
function listenBesideEachOther(): void {
  subscribe('tracing:net.server.listen:asyncStart', (message) => {
    // Node documents what its channels carry; these are the options that `listen` goes on with.
    const { options } = message as { options: { port?: unknown; reusePort?: boolean } }
    if (options.port !== undefined && Object.isExtensible(options)) options.reusePort = true
  })
}

/**
 * What the app has loaded by now is what the next worker loads as well. Written at a time when nobody is served yet;
 * Node itself would write it at the end, which a worker that is killed does not see.
 */
function keepCompiledCode(): void {
  if (module.getCompileCacheDir?.()) module.flushCompileCache?.()
}
