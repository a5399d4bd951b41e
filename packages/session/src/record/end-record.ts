import type { SessionBackend } from '../backend.ts'
import { endedMark } from './marks.ts'
import type { Sealer } from './sealer.ts'

/** Where records end. */
export interface EndingPlace {
  readonly backend: SessionBackend
  readonly sealer: Sealer
  /** Sessions come in from another store, so that those that have ended must be told from those that were never here. */
  readonly marksEnds: boolean
}

/** Far longer than anybody needs who has read a session elsewhere and brings it here. */
const markMs = 10 * 60_000

/** Destroys a record, and resolves to what it was; undefined when there was none, or none that opens. */
export async function endRecord(place: EndingPlace, id: string): Promise<string | undefined> {
  const { backend, sealer, marksEnds } = place
  let text = await destroyed(place, id)
  // One that was on its way may have come in again: it ends as well.
  while (marksEnds && !(await backend.putNew(id, sealer.seal(id, endedMark), markMs))) {
    text = (await destroyed(place, id)) ?? text
  }
  return text
}

async function destroyed({ backend, sealer }: EndingPlace, id: string): Promise<string | undefined> {
  const stored = await backend.destroy(id)
  try {
    const text = stored === undefined ? undefined : sealer.open(id, stored)
    return text === endedMark ? undefined : text
  } catch {
    return undefined
  }
}
