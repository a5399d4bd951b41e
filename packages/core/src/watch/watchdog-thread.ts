/**
 * Runs in a thread of its own in each worker, where it goes on while the worker's event loop hangs. It then
 * asks the inspector what runs, and writes that to the supervisor, past the event loop. It ends the worker,
 * and all that it had started, when the supervisor is gone.
 *
 *   quiet --no beat for half of hangMs--> uneasy, and says so with each look
 *         --for three quarters--> asking for the stack --for hangMs--> told
 *   any of them --a beat--> quiet
 */
import { writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { endGroup } from '../link/process-group.ts'
import { Silence } from '../link/silence.ts'
import { mainThreadCpuWaitMs } from './cpu-wait.ts'
import { type LastWord, lastWordsFd, type StackFrame } from './hang-word.ts'
import { mainThreadStack } from './main-thread-stack.ts'
import type { WatchdogOrders } from './watchdog.ts'

/** A garbage collection or a call of the system, which no inspector interrupts, may last so much longer. Milliseconds. */
const uninterruptedMs = 300
/** When such a call has just ended, the event loop turns within this, in milliseconds. */
const recoversWithinMs = 100
const mostFrames = 50
/** Who waits for a CPU for so much of the time is kept from running by others, and is given three times the time. */
const starvingShare = 0.6

// Only `Watchdog` starts this file.
const { shared, hangMs, supervisorPid } = workerData as WatchdogOrders
const lookEveryMs = Math.min(250, hangMs / 10)
const silence = new Silence(lookEveryMs)
let lastBeat = 0
let state: 'quiet' | 'uneasy' | 'asking' | 'told' = 'quiet'
let stack: { readonly frames: readonly StackFrame[]; readonly at: number } | undefined
let isAsking = false
let uneasy = { atMs: 0, cpuWaitMs: 0 }

function look(): void {
  // An event loop that hangs cannot go by itself.
  if (process.ppid !== supervisorPid) endGroup()
  const beat = Atomics.load(shared, 0)
  const isWatching = Atomics.load(shared, 1) === 1
  const silentMs = silence.look(beat !== lastBeat || !isWatching)
  lastBeat = beat
  if (silentMs < hangMs / 2) {
    state = 'quiet'
    stack = undefined
    return
  }
  if (state === 'quiet') {
    state = 'uneasy'
    uneasy = { atMs: silentMs, cpuWaitMs: mainThreadCpuWaitMs() }
  }
  // One inspector at a time: an answer that does not come may come when the next silence has begun.
  if (silentMs >= hangMs * 0.75 && state === 'uneasy' && !isAsking) {
    state = 'asking'
    void ask()
  }
  const cpuWaitMs = mainThreadCpuWaitMs() - uneasy.cpuWaitMs
  const isStarving = cpuWaitMs > starvingShare * (silentMs - uneasy.atMs)
  if (silentMs >= (isStarving ? 3 * hangMs : hangMs)) report(silentMs, cpuWaitMs)
  // The supervisor misses the heartbeats as well, and leaves it to who is awake to say what that is.
  if (state !== 'told') tell({ isUneasy: true })
}

async function ask(): Promise<void> {
  isAsking = true
  stack = undefined
  const frames = await mainThreadStack()
  isAsking = false
  stack = { frames: frames.slice(0, mostFrames), at: performance.now() }
}

function report(silentMs: number, cpuWaitMs: number): void {
  const isKnown = stack !== undefined && performance.now() - stack.at >= recoversWithinMs
  const isLong = silentMs >= hangMs + uninterruptedMs
  // Where there was nothing to say but that it hangs, the stack may still follow.
  if (!isKnown && (state === 'told' || !isLong)) return
  tell({ busyMs: silentMs, cpuWaitMs, frames: isKnown ? stack!.frames : [] })
  stack = undefined
  state = 'told'
}

function tell(word: LastWord): void {
  try {
    writeSync(lastWordsFd, `${JSON.stringify(word)}\n`)
  } catch {
    // The supervisor is gone, which the next look sees; or it hears of the hang because no heartbeat comes.
  }
}

setInterval(look, lookEveryMs)
