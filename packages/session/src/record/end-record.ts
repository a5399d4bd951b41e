import type { SessionBackend } from '../backend.ts'
import { endedMark, isArriving } from './marks.ts'
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
/** A session that is still in both places is over when its time there is over. */
const arrivingMarkMs = 30 * 24 * 3_600_000

/** Destroys a record, and resolves to what it was; undefined when there was none, or none that opens. */
export async function endRecord(place: EndingPlace, id: string): Promise<string | undefined> {
  let text = await destroyed(place, id)
  if (!place.marksEnds) return text
  while (!(await hasMarked(place, id, text))) {
    // One that was on its way has come in again: it ends as well.
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

function hasMarked({ backend, sealer }: EndingPlace, id: string, text: string | undefined): Promise<boolean> {
  const ms = text !== undefined && isArriving(text) ? arrivingMarkMs : markMs
  return backend.putNew(id, sealer.seal(id, endedMark), ms)
}
