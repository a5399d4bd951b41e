import { type Clock, withDeadline } from '@stepladder/core'
import type { SessionBackend } from './backend.ts'

/** What goes over all records may take its time, as long as it ends. */
const wholeStoreMs = 30_000

/** Lets no call wait longer than `ms` for the backend: it rejects with `DeadlineExceededError`. */
export function bounded(backend: SessionBackend, ms: number, clock: Clock): SessionBackend {
  const within = <T>(what: string, limitMs: number, call: () => Promise<T>) =>
    withDeadline(what, limitMs, call, clock)
  return {
    get: (id) => within('reading', ms, () => backend.get(id)),
    put: (id, text, ttlMs) => within('writing', ms, () => backend.put(id, text, ttlMs)),
    putNew: (id, text, ttlMs) => within('writing', ms, () => backend.putNew(id, text, ttlMs)),
    replace: (id, expected, text, ttlMs) =>
      within('writing', ms, () => backend.replace(id, expected, text, ttlMs)),
    touch: (id, ttlMs) => within('touching', ms, () => backend.touch(id, ttlMs)),
    destroy: (id) => within('destroying', ms, () => backend.destroy(id)),
    all: () => within('reading all sessions', wholeStoreMs, () => backend.all()),
    length: () => within('counting sessions', wholeStoreMs, () => backend.length()),
    clear: () => within('destroying all sessions', wholeStoreMs, () => backend.clear()),
    close: () => backend.close(),
  }
}
