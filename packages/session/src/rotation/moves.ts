import type { Replaced } from '../backend.ts'
import { type Moved, readMoved, writeMoved } from '../record/marks.ts'
import type { Sealer } from '../record/sealer.ts'
import type { SessionsParts } from '../sessions-parts.ts'

/** How long a request that began with an old id may still save what it changed: far longer than that id is let in. */
const longestRequestMs = 3_600_000

/** `changed`: the record is not any more what it was read as, and was left alone. */
export type MoveOutcome = 'moved' | 'changed' | 'gone'

/** A record as it was read. */
export interface Before {
  readonly key: string
  readonly stored: string
}

/** Lets a record lead to where its session is now. */
export function moveRecord(
  { records }: SessionsParts,
  { key, stored }: Before,
  moved: Moved,
  ttlMs: number,
): Promise<MoveOutcome> {
  const pointer = records.sealer.seal(key, writeMoved(moved))
  return records.run(
    'rotate',
    async (_waited, backend) => outcomeOf(await backend.replace(key, stored, pointer, ttlMs)),
    asItIs,
  )
}

/** Lets the old id in for the grace from now on, and no longer; `gone`: that was done before, or it has ended. */
export function limitMove({ records, settings }: SessionsParts, key: string): Promise<MoveOutcome> {
  const { clock, rotationGraceMs } = settings
  return records.run(
    'rotate',
    async (_waited, backend) => {
      const stored = await backend.get(key)
      const moved = stored === undefined ? undefined : movedOf(records.sealer, key, stored)
      if (stored === undefined || !moved || moved.until !== undefined) return 'gone'
      const limited = writeMoved({ ...moved, until: clock.now() + rotationGraceMs })
      const pointer = records.sealer.seal(key, limited)
      return outcomeOf(await backend.replace(key, stored, pointer, rotationGraceMs + longestRequestMs))
    },
    asItIs,
  )
}

function movedOf(sealer: Sealer, key: string, stored: string): Moved | undefined {
  try {
    return readMoved(sealer.open(key, stored))
  } catch {
    return undefined // leads nowhere, to nobody
  }
}

function outcomeOf(replaced: Replaced): MoveOutcome {
  if (replaced.isDone) return 'moved'
  return replaced.current === undefined ? 'gone' : 'changed'
}

const asItIs = (outcome: MoveOutcome) => outcome
