import { subscribe } from 'node:diagnostics_channel'
import { isIPv4, type Server, type Socket } from 'node:net'
import { canProbe, isProbe } from '../cluster/probe-address.ts'

/**
 * Ends the supervisor's probes as soon as this process accepts them: that is what they measure. HTTP servers
 * only: another one might greet whoever connects. `onDoor` hears of each address where a probe is welcome.
 */
export function answerProbes(onDoor: (address: string, port: number) => void): void {
  if (!canProbe) return
  subscribe('tracing:net.server.listen:asyncEnd', (message) => {
    // Node documents what its channel carries.
    const { server } = message as { server: Server }
    // By its methods: the classes of https would have to be loaded.
    const isHttp = 'closeIdleConnections' in server
    const address = server.address()
    if (!isHttp || typeof address !== 'object' || !address || !isReachable(address.address)) return
    // First of all listeners, so that the app's own meet a socket that is closed already.
    server.prependListener('connection', (socket: Socket) => {
      if (isProbe(socket.remoteAddress)) socket.resetAndDestroy()
    })
    onDoor(address.address, address.port)
  })
}

/** The probe's address is of version 4; a socket that is open to all takes those as well. */
function isReachable(address: string): boolean {
  return isIPv4(address) || address === '::'
}
