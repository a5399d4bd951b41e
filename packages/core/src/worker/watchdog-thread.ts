/**
 * Runs in a thread of its own in each worker, where it goes on while the worker's event loop hangs. It then
 * asks the inspector what runs, and writes that to the supervisor, past the event loop. It ends the worker,
 * and all that it had started, when the supervisor is gone.
 *
 *   quiet --no beat for half of hangMs--> uneasy --no beat for hangMs--> asking for the stack
 *   asking --still no beat--> told          uneasy, asking, told --a beat--> quiet
 */
import { writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { sleep } from '../clock.ts'
import { type LastWord, lastWordsFd, type StackFrame } from '../cluster/hang-word.ts'
import { Silence } from '../cluster/silence.ts'
import { mainThreadStack } from './main-thread-stack.ts'
import { endGroup } from './process-group.ts'
import type { WatchdogOrders } from './watchdog.ts'

/** A call outside JavaScript is not waited for longer than this, in milliseconds. */
const stackWithinMs = 300
/** A garbage collection that has just ended, or such a call, lets the event loop turn so soon. Milliseconds. */
const recoversWithinMs = 100
const mostFrames = 50

// Only `Watchdog` starts this file.
const { shared, hangMs, supervisorPid } = workerData as WatchdogOrders
const lookEveryMs = Math.min(250, hangMs / 10)
const silence = new Silence(lookEveryMs)
let lastBeat = 0
let state: 'quiet' | 'uneasy' | 'asking' | 'told' = 'quiet'

function look(): void {
  // An event loop that hangs cannot go by itself.
  if (process.ppid !== supervisorPid) endGroup()
  const beat = Atomics.load(shared, 0)
  const isWatching = Atomics.load(shared, 1) === 1
  const silentMs = silence.look(beat !== lastBeat || !isWatching)
  lastBeat = beat
  if (silentMs === 0 && (state === 'uneasy' || state === 'told')) state = 'quiet'
  if (silentMs >= hangMs / 2 && state === 'quiet') {
    state = 'uneasy'
    tell({ isUneasy: true })
  }
  if (silentMs >= hangMs && state === 'uneasy') {
    state = 'asking'
    void investigate(beat, silentMs)
  }
}

async function investigate(beat: number, silentMs: number): Promise<void> {
  const startedAt = performance.now()
  const hangs = () => Atomics.load(shared, 0) === beat
  const say = (frames: readonly StackFrame[]) =>
    tell({ busyMs: silentMs + performance.now() - startedAt, frames: frames.slice(0, mostFrames) })
  const answer = mainThreadStack()
  const frames = await Promise.race([answer, sleep(stackWithinMs).then((): StackFrame[] => [])])
  await sleep(recoversWithinMs)
  if (hangs()) say(frames)
  // One inspector at a time: what is in a call outside JavaScript answers when that has ended.
  const late = await answer
  if (hangs() && frames.length === 0 && late.length > 0) say(late)
  state = hangs() ? 'told' : 'quiet'
}

function tell(word: LastWord): void {
  try {
    writeSync(lastWordsFd, `${JSON.stringify(word)}\n`)
  } catch {
    // The supervisor is gone, which the next look sees; or it hears of the hang because no heartbeat comes.
  }
}

setInterval(look, lookEveryMs)
