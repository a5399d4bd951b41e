import type { Server, Socket } from 'node:net'
import { processReadiness } from '../health/readiness.ts'
import type { NativeHandle } from '../link/native-handle.ts'
import type { SupervisorLink } from '../link/supervisor-link.ts'

/**
 * So many are under way at most. From one process to the next they go one by one, and those that wait for their turn
 * nobody reads: they are better off where they are.
 */
const mostUnderWay = 16

/** Gives a connection to another worker; false when that is not possible, or not now. */
export type PassOn = (server: Server, socket: Socket) => boolean

export interface PassOnOptions {
  readonly link: Pick<SupervisorLink, 'send' | 'listen' | 'nextId'>
  /** Under which name the supervisor keeps the socket that the server listens on, if it does. */
  readonly keyOf: (server: Server) => string | undefined
}

/**
 * Passes connections to the other workers, by way of the supervisor. What the client sends meanwhile waits in the
 * kernel, and the next worker reads it: the client notices nothing. Only for a connection on which nothing
 * is under way; TLS keeps its keys in this process, so its connections stay here.
 */
export function passOnOver({ link, keyOf }: PassOnOptions): PassOn {
  const underWay = new Set<number>()
  link.listen((message) => {
    if (message.stepladder === 'taken') underWay.delete(message.id)
  })
  return (server, socket) => {
    const key = keyOf(server)
    // What Node keeps beneath a socket has no public name.
    const { _handle: handle } = socket as Socket & { readonly _handle?: NativeHandle | null }
    if (key === undefined || !handle || 'setSecureContext' in server) return false
    // Where all are told to go there is nobody to take it.
    if (underWay.size >= mostUnderWay || processReadiness().isStopping) return false
    const id = link.nextId()
    underWay.add(id)
    handle.readStop()
    // Closes this process's end of it, which a shutdown would be for the others as well.
    link.send({ stepladder: 'passed', key, id }, handle).then(() => socket.destroy())
    return true
  }
}
