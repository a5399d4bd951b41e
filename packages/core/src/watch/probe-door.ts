import { subscribe } from 'node:diagnostics_channel'
import { isIPv4, type Server, type Socket } from 'node:net'
import { canProbe, isProbe } from './probe-address.ts'

/**
 * Ends the supervisor's probes as soon as this process accepts them: that is what they measure. HTTP servers
 * only: whoever connects to another one may be counted on. `onDoor` hears of each address where a probe is welcome.
 */
export function answerProbes(onDoor: (address: string, port: number) => void): void {
  if (!canProbe) return
  const guarded = new WeakSet<Server>()
  subscribe('tracing:net.server.listen:asyncEnd', (message) => {
    // Node documents what its channel carries.
    const { server } = message as { server: Server }
    // By its methods: the classes of https would have to be loaded.
    const isHttp = 'closeIdleConnections' in server
    const address = server.address()
    if (!isHttp || typeof address !== 'object' || !address || !isReachable(address.address)) return
    if (!guarded.has(server)) keepFromApp(server)
    guarded.add(server)
    onDoor(address.address, address.port)
  })
}

/**
 * Not by a listener before the app's: those behind it would still be handed a closed socket, which a TLS server
 * reports to the app as a failed client.
 */
function keepFromApp(server: Server): void {
  const emit = server.emit.bind(server)
  const emitUnlessProbe = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== 'connection') return emit(event, ...args)
    // An app may hand its server what is no socket of the network.
    const socket = args[0] as Partial<Socket> | undefined
    if (!isProbe(socket?.remoteAddress)) return emit(event, ...args)
    socket?.resetAndDestroy?.()
    return true
  }
  // It takes all that the overloads of the original do.
  server.emit = emitUnlessProbe as typeof server.emit
}

/** The probe's address is of version 4; a socket that is open to all takes those as well. */
function isReachable(address: string): boolean {
  return isIPv4(address) || address === '::'
}
