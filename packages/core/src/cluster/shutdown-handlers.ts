import { systemClock } from '../clock.ts'

/** Of each there is one of our own, which only keeps the signal from ending this process. */
const signals = ['SIGTERM', 'SIGINT'] as const

/**
 * Lets the app's own handlers of SIGTERM run, or where it has none, those of SIGINT, which is what PM2 sends.
 * Resolves when `ms` are over. As a rule the process has ended before: a handler exits, or what it had to finish
 * is finished and nothing is left to do.
 */
export async function runShutdownHandlers(ms: number): Promise<void> {
  const signal = signals.find((name) => process.listenerCount(name) > 1)
  if (!signal) return
  process.emit(signal)
  // From now on only what the app has left to do keeps this process alive.
  process.channel?.unref()
  await new Promise<void>((resolve) => void systemClock.after(ms, resolve).unref())
}
