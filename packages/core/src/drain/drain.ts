import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Clock, sleep, systemClock } from '../clock.ts'
import type { PassOn } from '../sockets/pass-on.ts'
import type { DrainMoment } from './connection.ts'
import type { WatchedServers } from './watched-servers.ts'

export interface DrainOptions {
  /** After this long, connections that are still open are cut, in milliseconds. */
  readonly deadlineMs: number
  /** Gives an idle connection to another worker; without it, it stays until its client's time is over. */
  readonly passOn?: PassOn | undefined
  /** How long an idle connection may still bring a request, in milliseconds. Default: half of the deadline. */
  readonly idleMs?: number | undefined
  readonly clock?: Clock
}

/** How often a drain looks at what is open, in milliseconds. */
const lookEveryMs = 20

/** A connection that has brought nothing yet is as a rule followed by its request at once. Milliseconds. */
const freshMs = 1_000

/**
 * Ends the HTTP servers of a process without losing a request.
 *
 *   accepting --drain--> leaving: no new connection; whatever is open goes its own way (`HttpConnection`,
 *                        `Http2Connection`, `UpgradedSocket`), and an answer says that it is the last
 *             --nothing is open--> left
 *             --deadline--> what is still open is cut --> left
 *
 * Until half of the deadline has passed, an idle connection may bring another request, and the other half is for
 * answering it. Closed any sooner, one that is on its way would be lost: a client was told `Keep-Alive: timeout=5`,
 * and what is idle for longer than that, Node itself closes.
 */
export async function drain(
  servers: WatchedServers,
  { deadlineMs, passOn, idleMs = deadlineMs / 2, clock = systemClock }: DrainOptions,
): Promise<void> {
  const beganAt = clock.monotonic()
  const freshUntil = beganAt + Math.min(freshMs, deadlineMs / 2)
  const idleUntil = beganAt + Math.min(idleMs, deadlineMs / 2)
  while (true) {
    const moment: DrainMoment = { now: clock.monotonic(), freshUntil, idleUntil, passOn }
    // A server that begins to listen meanwhile leaves as well.
    for (const server of servers) server.leave(moment)
    if ([...servers].every((server) => server.hasLeft(moment))) break
    if (moment.now >= beganAt + deadlineMs) break
    await sleep(lookEveryMs, { clock })
    // Node has then just read what had come in: nothing is closed that was sent a request unseen.
    await nextTurn()
  }
  for (const server of servers) server.cut()
  // The app hears of the last end before its process goes.
  await sleep(lookEveryMs, { clock })
}
