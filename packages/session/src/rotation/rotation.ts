import { randomBytes } from 'node:crypto'
import { SessionUnavailableError } from '../errors.ts'
import type { LoadOptions } from '../load-options.ts'
import { writeRecord } from '../record/session-record.ts'
import type { SessionsParts } from '../sessions-parts.ts'
import { noteEnd } from '../users/begin-session.ts'
import { handleOf } from '../users/handle.ts'
import type { FoundSession } from '../visit/keeper.ts'
import { ttlMs } from '../visit/new-record.ts'
import type { ReadSession } from '../visit/read-session.ts'
import { Visit } from '../visit/visit.ts'
import { limitMove, type MoveOutcome, moveRecord } from './moves.ts'
import { nextId } from './next-id.ts'

/**
 * Begins a visit with a session, and gives it another id when it is time, and when its current one was shown:
 *
 *     old id   record ──(2)──▶ moved ──(3) the new id is shown──▶ moved, for the grace ──▶ refused
 *     new id     (1) copy ──▶ record
 *
 * (2) takes the record's place only while it is as it was copied. A crash between (1) and (2) leaves a copy under an id
 * that nobody knows. Until (3) the old id is let in, whatever was lost on its way to the browser, and each response to it
 * brings the new one.
 */
export function beginVisit(
  parts: SessionsParts,
  found: ReadSession,
  options: LoadOptions | undefined,
): Visit | Promise<Visit> {
  const { rotateEveryMs, clock } = parts.settings
  const { from, shown, rotated, created } = found.record.meta
  if (found.isMoved) return new Visit(parts, found, options)
  if (from !== undefined && from !== shown) return limitOldId(parts, found, from, options)
  const isDue = rotateEveryMs !== undefined && clock.now() - (rotated ?? created) >= rotateEveryMs
  return isDue ? rotate(parts, found, options) : new Visit(parts, found, options)
}

async function limitOldId(
  parts: SessionsParts,
  found: ReadSession,
  from: string,
  options: LoadOptions | undefined,
): Promise<Visit> {
  const visit = new Visit(parts, found, options)
  if ((await survived(limitMove(parts, from))) === undefined) return visit
  // Said by its name: this may be merged into a record that has moved once more.
  visit.note({ shown: from }, false)
  visit.touch()
  return visit
}

async function rotate(
  parts: SessionsParts,
  found: ReadSession,
  options: LoadOptions | undefined,
): Promise<Visit> {
  const salt = randomBytes(24).toString('base64url')
  const id = nextId(found.id, salt)
  const copy = copyOf(parts, found, id)
  const moved = await survived(moveToCopy(parts, found, copy, salt))
  if (moved === 'moved') return new Visit(parts, copy, options)
  // Where nobody knows whether it has moved, the copy has to stay: whoever comes next will see.
  if (moved !== undefined) await survived(parts.records.destroy(copy.key))
  // Another request was first, with a change or with this very rotation: this one goes on with what it has read.
  return new Visit(parts, moved === 'gone' ? undefined : found, options)
}

function copyOf({ keyOf, settings }: SessionsParts, found: ReadSession, id: string): FoundSession {
  const { meta, cookie, data } = found.record
  const now = settings.clock.now()
  const handle = handleOf(settings, found.key, meta)
  const notes = { seen: now, rotated: now, from: found.key, handle }
  const record = writeRecord(cookie, { ...meta, ...notes }, data)
  return { ...found, id, key: keyOf(id), record, stored: undefined, isCookieDue: true }
}

async function moveToCopy(
  parts: SessionsParts,
  found: ReadSession,
  { key, record }: FoundSession,
  salt: string,
): Promise<MoveOutcome> {
  const { records, users, expiries } = parts
  const { user } = record.meta
  const restMs = ttlMs(parts, record.cookie, record.meta)
  await records.create(key, record.text, restMs)
  if (user !== undefined) await users?.renew(user, key, restMs)
  await noteEnd(parts, key, record.meta, restMs)
  const moved = await moveRecord(parts, found, { to: key, salt }, restMs)
  const over = moved === 'moved' ? found.key : key
  await expiries?.forget(over)
  if (user !== undefined) await users?.leave(user, [over])
  return moved
}

/** A rotation is worth no request: it is due again with the next one. What failed was reported. */
async function survived<T>(step: Promise<T>): Promise<T | undefined> {
  try {
    return await step
  } catch (failure) {
    if (failure instanceof SessionUnavailableError) return undefined
    throw failure
  }
}
