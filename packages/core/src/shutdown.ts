import { type Closeable, closeAll } from './closeable.ts'

const key = Symbol.for('stepladder.shutdown')

/** One list for the process, also when two copies of this package are installed: a process ends only once. */
function registered(): Closeable[] {
  // The registry of symbols is the only place that two copies share; nobody else writes under our key.
  const shared = globalThis as { [key]?: Closeable[] }
  shared[key] ??= []
  return shared[key]
}

/**
 * Asks for `closeable` to be closed before a supervised worker exits, after its last request was answered:
 * in reverse order of registration, within the drain's deadline. Returns its argument.
 */
export function closeOnShutdown<T extends Closeable>(closeable: T): T {
  registered().push(closeable)
  return closeable
}

/** Closes all that was registered, in reverse order; a second call finds nothing left. */
export async function closeRegistered(): Promise<void> {
  await closeAll(registered().splice(0))
}
