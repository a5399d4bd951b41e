import type { Server, Socket } from 'node:net'
import type { NativeHandle } from '../cluster/native-handle.ts'
import type { SupervisorLink } from './supervisor-link.ts'

/** Gives a connection to another worker; false when that is not possible. */
export type PassOn = (server: Server, socket: Socket) => boolean

export interface PassOnOptions {
  readonly link: Pick<SupervisorLink, 'send'>
  /** Under which name the supervisor keeps the socket that the server listens on, if it does. */
  readonly keyOf: (server: Server) => string | undefined
}

/**
 * Passes connections to the other workers, by way of the supervisor. What the client sends meanwhile waits in the
 * kernel, and the next worker reads it: the client notices nothing. Only for a connection on which nothing
 * is under way; TLS keeps its keys in this process, so its connections stay here.
 */
export function passOnOver({ link, keyOf }: PassOnOptions): PassOn {
  return (server, socket) => {
    const key = keyOf(server)
    // What Node keeps beneath a socket has no public name.
    const { _handle: handle } = socket as Socket & { readonly _handle?: NativeHandle | null }
    if (key === undefined || !handle || 'setSecureContext' in server) return false
    handle.readStop()
    // Closes this process's end of it, which a shutdown would be for the others as well.
    link.send({ stepladder: 'passed', key }, handle).then(() => socket.destroy())
    return true
  }
}
