import { subscribe } from 'node:diagnostics_channel'
import { Server } from 'node:http'
import { Server as TlsServer } from 'node:https'
import { withDeadline } from '../deadline.ts'
import { closeRegistered } from '../shutdown.ts'
import { drainServers } from './drain.ts'
import { supervisorLink } from './supervisor-link.ts'

/** How long a drain takes at most where the supervisor did not say, in milliseconds. */
const defaultDeadlineMs = 10_000

/**
 * Makes this process a good worker: finds the HTTP servers that the app opens, without its help, and
 * when told to go (by its supervisor, SIGTERM or SIGINT) drains them, closes what the app registered
 * with `closeOnShutdown`, and exits with code 0. Without a supervisor it does nothing.
 */
export function superviseThisWorker(): void {
  const link = supervisorLink()
  if (!link) return
  const servers = watchServers()
  let isLeaving = false

  const leave = async (deadlineMs: number) => {
    if (isLeaving) return
    isLeaving = true
    const startedAt = performance.now()
    await drainServers(servers, { deadlineMs })
    const leftMs = Math.max(100, deadlineMs - (performance.now() - startedAt))
    await withDeadline('Closing what the app registered', leftMs, closeRegistered).catch(
      (failure: unknown) => {
        console.error('stepladder: while shutting down:', failure)
      },
    )
    // A worker with a live timer never exits by itself.
    process.exit(0)
  }

  link.listen((message) => {
    if (message.stepladder === 'drain') leave(message.deadlineMs)
    // Channels hear the message in this same turn; by the time this arrives, they have handled it.
    if (message.stepladder === 'deliver') link.send({ stepladder: 'handled', id: message.id })
  })
  process.on('SIGTERM', () => leave(defaultDeadlineMs))
  // Ctrl+C reaches the whole group; the supervisor hears it too and says how long there is.
  process.on('SIGINT', () => {})
}

function watchServers(): Set<Server> {
  const servers = new Set<Server>()
  subscribe('tracing:net.server.listen:asyncEnd', (message) => {
    const { server } = message as { server: unknown }
    if (server instanceof Server || server instanceof TlsServer) servers.add(server as Server)
  })
  return servers
}
