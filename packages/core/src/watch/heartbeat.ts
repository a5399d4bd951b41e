import { subscribe } from 'node:diagnostics_channel'
import type { SupervisorLink } from '../link/supervisor-link.ts'
import { ProcessStats } from './process-stats.ts'
import { Watchdog } from './watchdog.ts'

/** How often the watchdog is told that the event loop turns, in milliseconds. */
const beatEveryMs = 125
/** How often the supervisor is told how this process is, in milliseconds. */
const heartbeatEveryMs = 500

/** The pauses of this process, which has one event loop. */
const pauses = new Set<symbol>()
const onPause = new Set<() => void>()

/**
 * Until the returned function is called, an event loop that stands still is no hang: for what blocks it on
 * purpose, such as a heap snapshot. The supervisor is told before this returns.
 */
export function pauseWatch(): () => void {
  const pause = Symbol('pause')
  pauses.add(pause)
  for (const tell of onPause) tell()
  return () => void pauses.delete(pause)
}

/** From now on tells the supervisor how this process is, and both it and a watchdog that its event loop turns. */
export function startHeartbeat(link: Pick<SupervisorLink, 'situation' | 'send'>): void {
  const { hangMs } = link.situation
  const stats = new ProcessStats()
  let watchdog: Watchdog | undefined
  let isServing = false
  let toldAt = 0
  let isTelling = false
  // What loads at start may take long; and who stands at a breakpoint does not hang.
  const isWatched = () => isServing && pauses.size === 0 && !isDebugged()
  // At once, since the next turn of the loop may be the one that does not end.
  const tellOfChange = () => {
    watchdog?.beat(isWatched())
    void link.send({ stepladder: 'alive', isWatched: isWatched() })
  }
  onPause.add(tellOfChange)
  subscribe('tracing:net.server.listen:asyncEnd', () => {
    isServing = true
    // Not sooner: it would take from the start of the app, during which it has nothing to watch.
    if (hangMs !== undefined) watchdog ??= new Watchdog(hangMs)
    tellOfChange()
  })
  setInterval(async () => {
    watchdog?.beat(isWatched())
    // By the clock and not by the number of beats: a busy loop has few, and each is a sign of life. And one at a
    // time: what a supervisor that is stopped does not read would pile up here.
    if (isTelling || performance.now() - toldAt < heartbeatEveryMs - beatEveryMs / 2) return
    isTelling = true
    toldAt = performance.now()
    // Without a file descriptor left a process cannot look at itself; it is alive all the same.
    const vitals = await stats.take().catch(() => undefined)
    await link.send({ stepladder: 'alive', isWatched: isWatched(), vitals })
    isTelling = false
  }, beatEveryMs).unref()
}

/** Whether a debugger may hold this process; loaded late, since it takes milliseconds of a start. */
function isDebugged(): boolean {
  return process.getBuiltinModule('node:inspector')?.url() !== undefined
}
