import type { SessionBackend } from '../backend.ts'
import { endedMark } from './marks.ts'
import type { Sealer } from './sealer.ts'

/** Where records end. */
export interface EndingPlace {
  readonly backend: SessionBackend
  readonly sealer: Sealer
  /** How long it is remembered that a session has ended; undefined: not at all. */
  readonly endedMs: number | undefined
}

/** Destroys a record, and resolves to what it was; undefined when there was none, or none that opens. */
export async function endRecord(place: EndingPlace, id: string): Promise<string | undefined> {
  const stored = await destroyed(place, id)
  try {
    const text = stored === undefined ? undefined : place.sealer.open(id, stored)
    return text === endedMark ? undefined : text
  } catch {
    return undefined
  }
}

/** Where sessions come in from another store, one that was on its way may have come in again: it ends as well. */
async function destroyed({ backend, sealer, endedMs }: EndingPlace, id: string): Promise<string | undefined> {
  let ended = await backend.destroy(id)
  if (endedMs === undefined) return ended
  while (!(await backend.putNew(id, sealer.seal(id, endedMark), endedMs))) {
    ended = (await backend.destroy(id)) ?? ended
  }
  return ended
}
