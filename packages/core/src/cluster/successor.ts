import { sleep } from '../clock.ts'
import { withDeadline } from '../deadline.ts'
import type { Fleet } from './fleet.ts'
import { displayExit, type WorkerHandle } from './worker-handle.ts'

/** What a successor must show before its forerunner goes. */
export interface Trial {
  /** Where its forerunner listens. */
  readonly addresses: ReadonlySet<string> | undefined
  /** How long it may take, in milliseconds. */
  readonly startMs: number
  /** How long it must live after it listens, in milliseconds, before it is asked whether it is ready; none: it is not asked. */
  readonly settleMs: number | undefined
}

/** How it went to put a successor in charge. */
export interface Succession {
  /** Why it was not. */
  readonly trouble?: string
  /** Who was until now, and is to go. */
  readonly relieved?: WorkerHandle | undefined
}

/** A heartbeat comes twice a second; on a busy machine late. Milliseconds. */
const heardWithinMs = 3_000

/** Waits until a successor is up; resolves to what is wrong with it, or undefined. */
export async function troubleOf(
  successor: WorkerHandle,
  fleet: Pick<Fleet, 'readiness' | 'whenHeard'>,
  { addresses, startMs, settleMs }: Trial,
): Promise<string | undefined> {
  const { readiness } = fleet
  // One that could not be started has no pid.
  const name = `worker ${successor.pid ?? successor.instance}`
  const listens = await within(startMs, successor.listens(addresses))
  if (listens && settleMs !== undefined) {
    await Promise.race([successor.exited, sleep(settleMs)])
    const isHeard = fleet.whenHeard(successor).then(() => true)
    if (!(await within(heardWithinMs, isHeard))) return `${name} listens, but hangs`
    await within(Math.max(0, startMs - successor.livedMs), readiness.whenReady(successor))
  }
  if (successor.state === 'gone') return `${name} ${displayExit(await successor.exited)}`
  if (successor.state === 'draining') return `${name} was told to go`
  const reason = settleMs === undefined ? undefined : readiness.reason(successor)
  // It is let listen only when it is ready.
  if (reason) return `${name} is not ready: ${reason}`
  return listens ? undefined : `${name} does not listen after ${startMs / 1_000} s`
}

/** False when that takes longer than so many milliseconds. */
export function within(ms: number, task: Promise<boolean>): Promise<boolean> {
  return withDeadline('The start of a worker', ms, () => task).catch(() => false)
}
