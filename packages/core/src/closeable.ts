/** Something that was opened. `close()` finishes what was begun, lets go, and may be called twice. */
export interface Closeable {
  close(): Promise<void>
}

/**
 * Closes in reverse order of opening, each one even if another failed.
 * Rejects with an `AggregateError` that holds every failure.
 */
export async function closeAll(opened: readonly Closeable[]): Promise<void> {
  const failures: unknown[] = []
  for (const closeable of opened.toReversed()) {
    try {
      await closeable.close()
    } catch (failure) {
      failures.push(failure)
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'Some parts could not be closed')
}
