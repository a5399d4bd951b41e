import { sleep } from '../clock.ts'
import type { Supervisor } from './supervisor.ts'
import type { SupervisorOptions } from './supervisor-options.ts'

/**
 * Ends a cluster in the order that load balancers need. They hear late that it goes, so that it first says that
 * it is not ready, then goes on accepting while they take that in, and only then drains.
 */
export async function stopInOrder(
  supervisor: Supervisor,
  { shutdownDelayMs, drainMs, log }: SupervisorOptions,
  idleMs?: number,
): Promise<void> {
  supervisor.announceStop()
  if (shutdownDelayMs > 0) {
    log(`stopping: not ready any more, but accepting for another ${shutdownDelayMs / 1_000} s`)
    const over = new AbortController()
    // The workers may end before, all of them by themselves.
    const stop = () => over.abort()
    supervisor.ended.then(stop, stop)
    await sleep(shutdownDelayMs, { signal: over.signal }).catch(() => {})
  }
  log(`stopping: no new connections, ${drainMs / 1_000} s to finish what was begun`)
  await supervisor.close(idleMs)
}
