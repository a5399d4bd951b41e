/**
 * Runs in a thread of its own in each worker, where it goes on while the worker's event loop hangs. It then
 * asks the inspector what runs, and writes that to the supervisor, past the event loop. It ends the worker,
 * and all that it had started, when the supervisor is gone.
 *
 *   quiet --no beat for half of hangMs--> uneasy, and says so
 *         --for three quarters--> asking for the stack --for hangMs--> told
 *   any of them --a beat--> quiet
 */
import { writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { type LastWord, lastWordsFd, type StackFrame } from '../cluster/hang-word.ts'
import { Silence } from '../cluster/silence.ts'
import { mainThreadStack } from './main-thread-stack.ts'
import { endGroup } from './process-group.ts'
import type { WatchdogOrders } from './watchdog.ts'

/** A garbage collection or a call of the system, which no inspector interrupts, may last so much longer. Milliseconds. */
const uninterruptedMs = 300
/** When such a call has just ended, the event loop turns within this, in milliseconds. */
const recoversWithinMs = 100
const mostFrames = 50

// Only `Watchdog` starts this file.
const { shared, hangMs, supervisorPid } = workerData as WatchdogOrders
const lookEveryMs = Math.min(250, hangMs / 10)
const silence = new Silence(lookEveryMs)
let lastBeat = 0
let state: 'quiet' | 'uneasy' | 'asking' | 'told' = 'quiet'
let stack: { readonly frames: readonly StackFrame[]; readonly at: number } | undefined
let isAsking = false

function look(): void {
  // An event loop that hangs cannot go by itself.
  if (process.ppid !== supervisorPid) endGroup()
  const beat = Atomics.load(shared, 0)
  const isWatching = Atomics.load(shared, 1) === 1
  const silentMs = silence.look(beat !== lastBeat || !isWatching)
  lastBeat = beat
  if (silentMs === 0) {
    state = 'quiet'
    stack = undefined
  }
  if (silentMs >= hangMs / 2 && state === 'quiet') {
    state = 'uneasy'
    tell({ isUneasy: true })
  }
  // One inspector at a time: an answer that does not come may come when the next silence has begun.
  if (silentMs >= hangMs * 0.75 && state === 'uneasy' && !isAsking) {
    state = 'asking'
    void ask()
  }
  if (silentMs >= hangMs) report(silentMs)
}

async function ask(): Promise<void> {
  isAsking = true
  stack = undefined
  const frames = await mainThreadStack()
  isAsking = false
  stack = { frames: frames.slice(0, mostFrames), at: performance.now() }
}

function report(silentMs: number): void {
  const isKnown = stack !== undefined && performance.now() - stack.at >= recoversWithinMs
  const isLong = silentMs >= hangMs + uninterruptedMs
  // Where there was nothing to say but that it hangs, the stack may still follow.
  if (!isKnown && (state === 'told' || !isLong)) return
  tell({ busyMs: silentMs, frames: isKnown ? stack!.frames : [] })
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
