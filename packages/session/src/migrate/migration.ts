import { Deadlines } from '@stepladder/core'
import type { SessionBackend } from '../backend.ts'
import { InvalidSessionRecordError, SessionNotSerializableError } from '../errors.ts'
import { runOperation } from '../operation.ts'
import type { PlaceSettings } from '../options.ts'
import { isArriving } from '../record/marks.ts'
import { readRecord, type SessionRecord, writeRecord } from '../record/session-record.ts'
import { encodeRecord, type SessionLike } from '../record.ts'
import type { FoundRecord } from '../records.ts'
import { asked, type OldStore, sessionIn } from './old-store.ts'

export interface MigrationOptions {
  readonly from: OldStore
  /** Where sessions are kept now; it must end each call in time. */
  readonly to: SessionBackend
  readonly settings: PlaceSettings
  /** How long a record may rest. */
  readonly ttlMs: (record: SessionRecord) => number
  /** What a record is kept as, once its session has arrived. Default: its text. */
  readonly textOf?: ((record: SessionRecord) => string) | undefined
}

/**
 * Moves sessions here from the store that they were in before, one by one, as their cookies are shown:
 *
 *     old: session                               ──(2)──▶ gone
 *     here:  none ──(1) where nothing is──▶ arriving ──(3)──▶ session
 *
 * A session that ends here leaves a mark behind, so that (1) fails for whoever has read it before.
 */
export class Migration {
  readonly #options: MigrationOptions
  readonly #deadlines: Deadlines

  constructor(options: MigrationOptions) {
    this.#options = options
    this.#deadlines = new Deadlines(options.settings.timeoutMs, options.settings.clock)
  }

  /**
   * What `read` finds under the key, once the session has arrived there. Throws `SessionUnavailableError` when the old
   * store does not answer: nobody is logged out because of that.
   */
  async find(
    id: string,
    key: string,
    read: () => Promise<FoundRecord | undefined>,
  ): Promise<FoundRecord | undefined> {
    let found = await read()
    if (!found) {
      await this.#bring(id, key)
      // Also where the old store had none: it may have come here between the two looks.
      found = await read()
    }
    return found && isArriving(found.text) ? this.#settle(id, found) : found
  }

  /** Ends the session in the old store. */
  async end(id: string): Promise<void> {
    await this.#ask(
      'migrate-end',
      (old) => asked((done) => old.destroy(id, done)),
      () => 'destroyed',
    )
  }

  async #bring(id: string, key: string): Promise<void> {
    const session = await this.#ask(
      'migrate',
      (old) => sessionIn(old, id),
      (found) => (found ? 'found' : 'miss'),
    )
    const record = session ? this.#arriving(session) : undefined
    if (!record) return
    const { to, settings, ttlMs } = this.#options
    const restMs = ttlMs(record)
    if (restMs < 1) return
    await this.#run(
      'migrate-put',
      () => to.putNew(key, settings.sealer.seal(key, record.text), restMs),
      howPut,
    )
  }

  async #settle(id: string, found: FoundRecord): Promise<FoundRecord> {
    await this.end(id)
    const { to, settings, ttlMs, textOf = ({ text }) => text } = this.#options
    const { cookie, meta, data } = readRecord(found.text, settings.clock.now())
    const settled = writeRecord(cookie, { ...meta, arriving: undefined }, data)
    const text = textOf(settled)
    const stored = settings.sealer.seal(found.key, text)
    const replaced = await this.#run(
      'migrate-put',
      () => to.replace(found.key, found.stored, stored, ttlMs(settled)),
      ({ isDone }) => (isDone ? 'saved' : 'changed'),
    )
    // Whoever changed it has settled it too, or the next visit does.
    return replaced.isDone ? { ...found, text, stored } : found
  }

  /** What the old store has as a record of ours; undefined for what is none. */
  #arriving(session: object): SessionRecord | undefined {
    try {
      // `encodeRecord` looks whether it is one.
      const record = readRecord(encodeRecord(session as SessionLike), this.#options.settings.clock.now())
      // An id that it had in the old store leads nowhere here.
      const meta = { ...record.meta, from: undefined, shown: undefined, arriving: true } as const
      return writeRecord(record.cookie, meta, record.data)
    } catch (cause) {
      const isNone =
        cause instanceof InvalidSessionRecordError || cause instanceof SessionNotSerializableError
      if (!isNone) throw cause
      return undefined
    }
  }

  #ask<T>(
    operation: string,
    ask: (old: OldStore) => Promise<T>,
    outcomeOf: (value: T) => string,
  ): Promise<T> {
    return this.#run(operation, () => ask(this.#options.from), outcomeOf)
  }

  #run<T>(operation: string, task: () => Promise<T>, outcomeOf: (value: T) => string): Promise<T> {
    return runOperation(operation, this.#options.settings, async () => {
      const value = await this.#deadlines.run(operation, task)
      return [outcomeOf(value), value]
    })
  }
}

const howPut = (isNew: boolean) => (isNew ? 'saved' : 'was there')
