import cluster from 'node:cluster'
import { processInbox } from '../channel/inbox.ts'
import { takeOrders } from '../control/captures.ts'
import { withDeadline } from '../deadline.ts'
import { type DrainOptions, drain } from '../drain/drain.ts'
import { WatchedServers } from '../drain/watched-servers.ts'
import { processReadiness } from '../health/readiness.ts'
import { linkReadiness } from '../health/readiness-link.ts'
import { resignWithin } from '../leader/leaderships.ts'
import { keepChannel } from '../link/kept-channel.ts'
import { surviveLostOutput } from '../link/lost-output.ts'
import { endGroupWithSupervisor } from '../link/process-group.ts'
import { type SupervisorLink, supervisorLink } from '../link/supervisor-link.ts'
import { closeRegistered } from '../shutdown.ts'
import { takeSocketsFrom } from '../sockets/app-sockets.ts'
import { passOnOver } from '../sockets/pass-on.ts'
import { startHeartbeat } from '../watch/heartbeat.ts'
import { answerProbes } from '../watch/probe-door.ts'
import { runShutdownHandlers } from './shutdown-handlers.ts'

/** What the app registered to be closed has at least this long, however long its servers took. Milliseconds. */
const leastCloseMs = 1_000

const key = Symbol.for('stepladder.supervised-worker')

/**
 * Makes this process a good worker: finds the HTTP servers that the app opens, without its help, and
 * when told to go (by its supervisor or by SIGTERM) drains them, closes what the app registered with
 * `closeOnShutdown`, lets the app's own handlers of SIGTERM (or of SIGINT) run, and exits with code 0.
 * Without a supervisor, or when called again, it does nothing.
 */
export function superviseThisWorker(): void {
  const link = supervisorLink()
  if (!link || isSupervised()) return
  Object.defineProperty(globalThis, key, { value: true })
  const keyOf = takeSocketsFrom(link)
  endGroupWithSupervisor()
  keepChannel()
  surviveLostOutput()
  startHeartbeat(link)
  takeOrders(link)
  answerProbes((address, port) => link.send({ stepladder: 'door', address, port }))
  const servers = new WatchedServers((change, address) => link.send({ stepladder: change, address }))
  let isLeaving = false

  const leave = async (isAppTold: boolean, { deadlineMs, ...how }: DrainOptions) => {
    if (isLeaving) return
    isLeaving = true
    const endsAt = performance.now() + deadlineMs
    const resigned = resignWithin(deadlineMs)
    await drain(servers, { deadlineMs, ...how })
    await resigned
    await closeInOrder(endsAt)
    if (!isAppTold) await runShutdownHandlers(leftUntil(endsAt))
    // A worker with a live timer never exits by itself.
    process.exit(0)
  }

  // Answers for this process also where the app opens no channel.
  processInbox(link)
  linkReadiness(link, processReadiness())
  const passOn = passOnOver({ link, keyOf })
  hearSupervisor(link, (how) => leave(false, { ...how, passOn }))
  const leaveByItself = (isAppTold: boolean) => {
    link.send({ stepladder: 'leaving' })
    leave(isAppTold, { deadlineMs: link.situation.drainMs })
  }
  // Somebody meant this worker alone, or all processes of a service: the supervisor knows which.
  process.on('SIGTERM', () => leaveByItself(true))
  // Ctrl+C is for the supervisor, which says when to go.
  process.on('SIGINT', () => {})
  leaveInsteadOfDisconnecting(() => leaveByItself(false))
}

/** Whether a supervisor's worker is what this process knows itself to be. */
export function isSupervised(): boolean {
  return key in globalThis
}

/** Node's own `cluster.worker.disconnect()` closes what Node's own primary has opened, and this one has none. */
function leaveInsteadOfDisconnecting(leave: () => void): void {
  const { worker } = cluster
  if (!worker) return
  worker.disconnect = () => {
    leave()
    return worker
  }
  worker.kill = leave
  worker.destroy = leave
}

function hearSupervisor(link: SupervisorLink, drain: (how: DrainOptions) => void): void {
  link.listen((message) => {
    if (message.stepladder !== 'drain') return
    const { deadlineMs, idleMs } = message
    drain({ deadlineMs, idleMs })
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
