import { closeSync, openSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { writeHeapSnapshot } from 'node:v8'
import { sleep } from '../clock.ts'
import type { SupervisorLink } from '../link/supervisor-link.ts'
import { pauseWatch } from '../watch/heartbeat.ts'
import type { CaptureRequest } from './control-protocol.ts'

/** Writes the heap snapshots and CPU profiles that the supervisor orders from this worker, one at a time. */
export function takeOrders(link: SupervisorLink): void {
  let isBusy = false
  link.listen(async (message) => {
    if (message.stepladder !== 'capture') return
    const { id, request } = message
    if (isBusy) {
      const failure = 'it is at another heap snapshot or CPU profile; only one at a time'
      await link.send({ stepladder: 'captured', id, failure })
      return
    }
    isBusy = true
    const failure = await capture(request).then(() => undefined, describe)
    isBusy = false
    await link.send({ stepladder: 'captured', id, ...(failure === undefined ? {} : { failure }) })
  })
}

async function capture(request: CaptureRequest): Promise<void> {
  const { file } = request
  // Ours from now on: a file that exists is not overwritten. It will hold what the app held, passwords too.
  closeSync(openSync(file, 'wx', 0o600))
  const discard = () => rmSync(file, { force: true })
  process.once('exit', discard)
  try {
    if (request.command === 'heap-snapshot') takeHeapSnapshot(file)
    else await takeProfile(file, request.seconds)
  } catch (failure) {
    discard()
    throw failure
  } finally {
    process.off('exit', discard)
  }
}

/** Blocks this process until it is written. */
function takeHeapSnapshot(file: string): void {
  const resume = pauseWatch()
  try {
    writeHeapSnapshot(file)
  } finally {
    resume()
  }
}

async function takeProfile(file: string, seconds: number): Promise<void> {
  // It takes milliseconds of a start, and few workers are ever profiled.
  const { Session } = await import('node:inspector/promises')
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.start')
    await sleep(seconds * 1_000)
    const { profile } = await session.post('Profiler.stop')
    await writeFile(file, JSON.stringify(profile))
  } finally {
    session.disconnect()
  }
}

function describe(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure)
}
