import { SessionNotSerializableError } from '../errors.ts'

/** Runs what follows objects to their ends; those that are nested too deeply for that are no JSON to this process. */
export function withinNesting<T>(task: () => T): T {
  try {
    return task()
  } catch (cause) {
    if (!(cause instanceof RangeError && cause.message.includes('call stack'))) throw cause
    throw new SessionNotSerializableError('it is nested too deeply', { cause })
  }
}
