import { sleep } from '../clock.ts'
import { withDeadline } from '../deadline.ts'
import { closeRegistered } from '../shutdown.ts'
import { drainServer } from './drain.ts'
import { type SupervisorLink, supervisorLink } from './supervisor-link.ts'
import { WatchedServers } from './watched-servers.ts'

/** What the app registered to be closed has at least this long, however long its servers took. Milliseconds. */
const leastCloseMs = 1_000

const key = Symbol.for('stepladder.supervised-worker')

/**
 * Makes this process a good worker: finds the HTTP servers that the app opens, without its help, and
 * when told to go (by its supervisor or by SIGTERM) drains them, closes what the app registered with
 * `closeOnShutdown`, lets the app's own SIGTERM handlers run, and exits with code 0. Without a supervisor,
 * or when called again, it does nothing.
 */
export function superviseThisWorker(): void {
  const link = supervisorLink()
  if (!link || key in globalThis) return
  Object.defineProperty(globalThis, key, { value: true })
  const servers = new WatchedServers((change, address) => link.send({ stepladder: change, address }))
  let isLeaving = false

  const leave = async (deadlineMs: number, isAppTold: boolean) => {
    if (isLeaving) return
    isLeaving = true
    const endsAt = performance.now() + deadlineMs
    await Promise.all([...servers].map(([server, open]) => drainServer(server, open, { deadlineMs })))
    await closeInOrder(endsAt)
    if (!isAppTold && process.listenerCount('SIGTERM') > 1) {
      process.emit('SIGTERM')
      await sleep(leftUntil(endsAt))
    }
    // A worker with a live timer never exits by itself.
    process.exit(0)
  }

  hearSupervisor(link, (deadlineMs) => leave(deadlineMs, false))
  process.on('SIGTERM', () => {
    // Somebody meant this worker alone, or the whole group: the supervisor knows which.
    link.send({ stepladder: 'leaving' })
    leave(link.drainMs, true)
  })
  // Ctrl+C reaches the whole group; the supervisor hears it too and says when to go.
  process.on('SIGINT', () => {})
}

function hearSupervisor(link: SupervisorLink, drain: (deadlineMs: number) => void): void {
  link.listen((message) => {
    if (message.stepladder === 'drain') drain(message.deadlineMs)
    // The channels of this process hear the message in this same turn.
    if (message.stepladder === 'deliver') {
      setImmediate(() => link.send({ stepladder: 'handled', id: message.id }))
    }
  })
}

async function closeInOrder(endsAt: number): Promise<void> {
  await withDeadline('Closing what the app registered', leftUntil(endsAt), closeRegistered).catch(
    (failure: unknown) => console.error('stepladder: while shutting down:', failure),
  )
}

function leftUntil(endsAt: number): number {
  return Math.max(leastCloseMs, endsAt - performance.now())
}
