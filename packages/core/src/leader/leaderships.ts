import type { Closeable } from '../closeable.ts'
import { withDeadline } from '../deadline.ts'
import { InvalidOptionError } from '../errors.ts'

const key = Symbol.for('stepladder.leaderships')

/** One list for the process, also when two copies of this package are installed: its worker drains only once. */
function enrolled(): Map<string, Closeable> {
  // Nobody else writes under our key.
  const shared = globalThis as { [key]?: Map<string, Closeable> }
  shared[key] ??= new Map()
  return shared[key]
}

/** The returned function strikes it off. Throws `InvalidOptionError` where the name is taken. */
export function enrol(name: string, leadership: Closeable): () => void {
  if (enrolled().has(name)) {
    throw new InvalidOptionError(
      'onLeader',
      'name',
      name,
      'a name that no other onLeader of this process has',
    )
  }
  enrolled().set(name, leadership)
  return () => {
    if (enrolled().get(name) === leadership) enrolled().delete(name)
  }
}

/** Resigns from all, for a process that is about to go; resolves when every task has stopped, or the time is over. */
export async function resignWithin(ms: number): Promise<void> {
  const resigned = () => Promise.all([...enrolled().values()].map((leadership) => leadership.close()))
  await withDeadline('Stopping what only the leader runs', ms, resigned).catch((failure: unknown) =>
    console.error('stepladder: while shutting down:', failure),
  )
}
