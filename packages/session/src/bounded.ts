import { type Clock, Deadlines, withDeadline } from '@stepladder/core'
import type { SessionBackend } from './backend.ts'

/** What goes over all records may take its time, as long as it ends. */
export const wholeStoreMs = 30_000

/** Lets no call wait longer than `ms` for the backend: it rejects with `DeadlineExceededError`. */
export function bounded(backend: SessionBackend, ms: number, clock: Clock): SessionBackend {
  if (backend.endsInTime) return backend
  const deadlines = new Deadlines(ms, clock)
  const within = <T>(what: string, call: () => Promise<T>) => deadlines.run(what, call)
  const inTheEnd = <T>(what: string, call: () => Promise<T>) => withDeadline(what, wholeStoreMs, call, clock)
  return {
    get: (id) => within('reading', () => backend.get(id)),
    put: (id, text, ttlMs) => within('writing', () => backend.put(id, text, ttlMs)),
    putNew: (id, text, ttlMs) => within('writing', () => backend.putNew(id, text, ttlMs)),
    replace: (id, expected, text, ttlMs) =>
      within('writing', () => backend.replace(id, expected, text, ttlMs)),
    touch: (id, ttlMs) => within('touching', () => backend.touch(id, ttlMs)),
    destroy: (id) => within('destroying', () => backend.destroy(id)),
    all: () => inTheEnd('reading all sessions', () => backend.all()),
    length: () => inTheEnd('counting sessions', () => backend.length()),
    clear: () => inTheEnd('destroying all sessions', () => backend.clear()),
    close: () => backend.close(),
  }
}
