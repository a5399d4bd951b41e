import type { IncomingMessage } from 'node:http'
import type { Server } from 'node:net'

/**
 * Hears of each request that makes another protocol of its connection. Only beside a listener of the app: where
 * nobody listens, Node answers `Upgrade: ...` as the ordinary request that it also is, and refuses CONNECT.
 */
export function watchUpgrades(server: Server, onUpgrade: (request: IncomingMessage) => void): void {
  for (const event of ['upgrade', 'connect']) {
    const join = () => {
      if (!server.listeners(event).includes(onUpgrade)) server.prependListener(event, onUpgrade)
    }
    if (server.listenerCount(event) > 0) join()
    server.on('newListener', (added: string, listener: unknown) => {
      if (added === event && listener !== onUpgrade) join()
    })
    server.on('removeListener', (removed: string) => {
      const isAlone = server.listenerCount(event) === 1 && server.listeners(event)[0] === onUpgrade
      if (removed === event && isAlone) server.removeListener(event, onUpgrade)
    })
  }
}
