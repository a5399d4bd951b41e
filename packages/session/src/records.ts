import { begin, Deadlines, inside, isHeard, type Waited, withDeadline } from '@stepladder/core'
import type { SessionBackend } from './backend.ts'
import { bounded, wholeStoreMs } from './bounded.ts'
import type { NearCache } from './near/near-cache.ts'
import { failureOf, runOperation } from './operation.ts'
import type { PlaceSettings } from './options.ts'
import { OutageGuard } from './outage/outage-guard.ts'
import { endedMark, type Moved, mostMoves, readMoved } from './record/marks.ts'
import type { Sealer } from './record/sealer.ts'
import type { Written } from './write/lane.ts'
import { WriteLanes } from './write/write-lanes.ts'

/** A change to a record that was read. */
export interface RecordChange {
  /** The record that the change was made to, and that record as it was stored, where that is known. */
  readonly base: string
  readonly stored: string | undefined
  /** What the change makes of the record that is there now. Called again whenever another process was first. */
  apply(current: string): string
  /** How long the record that results may rest. */
  ttlMs(text: string): number
}

/** A record as the backend has it, and as text. */
export interface FoundRecord {
  /** Where it is: elsewhere than it was looked for when the session has moved. */
  readonly key: string
  readonly stored: string
  readonly text: string
  /** What led there. */
  readonly moves: readonly Moved[]
}

/**
 * The records of all sessions: each call ends in time, is reported once, and fails with `SessionUnavailableError`.
 * Changes to one record wait for each other here, and never revive one that is gone.
 */
export class Records {
  readonly sealer: Sealer
  readonly #backend: SessionBackend
  /** The same; each of its calls ends in time by itself. */
  readonly #inTime: SessionBackend
  readonly #settings: PlaceSettings
  readonly #lanes: WriteLanes
  readonly #deadlines: Deadlines
  readonly #guard: OutageGuard
  readonly #near: NearCache | undefined

  /** `near`: what remembers the records of `backend`, and is asked first. */
  constructor(backend: SessionBackend, sealer: Sealer, settings: PlaceSettings, near?: NearCache) {
    this.#backend = backend
    this.sealer = sealer
    this.#settings = settings
    this.#inTime = bounded(backend, settings.timeoutMs, settings.clock)
    const mayMove = settings.rotateEveryMs !== undefined
    // A call that is never answered must not hold up its session's lane for longer than its own request.
    this.#lanes = new WriteLanes(this.#inTime, sealer, settings.migrateFrom !== undefined, mayMove)
    this.#deadlines = new Deadlines(settings.timeoutMs, settings.clock)
    this.#guard = new OutageGuard(settings)
    this.#near = near
  }

  /**
   * Undefined when there is none, as when it has ended. A session that has moved is read where it is now.
   * `isFresh`: as the store has it, not memory. Throws `InvalidSessionRecordError` for what cannot be opened.
   */
  async read(
    key: string,
    isFresh = false,
    moves: readonly Moved[] = noMoves,
  ): Promise<FoundRecord | undefined> {
    const known = isFresh ? undefined : this.#near?.known(key)
    const stored = known ?? (await this.#ask('get', () => this.#inTime.get(key), wasFound))
    return this.#found(key, stored, moves, (to, all) => this.read(to, isFresh, all))
  }

  /** What memory saw of it last, to be shown while the store is away. Throws `InvalidSessionRecordError`. */
  lastSeen(key: string, moves: readonly Moved[] = noMoves): FoundRecord | undefined {
    return this.#found(key, this.#near?.lastSeen(key), moves, (to, all) => this.lastSeen(to, all))
  }

  async create(key: string, text: string, ttlMs: number): Promise<void> {
    await this.run('set', (waited) => this.#lanes.put(key, { text, ttlMs, waited }), asItIs)
  }

  /** `gone`: there is no such session any more, and nothing was written. */
  change(operation: 'set' | 'touch' | 'update', key: string, change: RecordChange): Promise<Written> {
    return this.run(operation, (waited) => this.#lanes.edit(key, { ...change, waited }), asItIs)
  }

  /** Says whether there was a record to be kept for so long from now; never revives one. */
  extend(key: string, ttlMs: number): Promise<boolean> {
    return this.run('touch', () => this.#backend.touch(key, ttlMs), wasThere)
  }

  /** Resolves to the record that has ended; undefined when there was none, or none that can be opened. */
  destroy(key: string): Promise<string | undefined> {
    return this.run('destroy', () => this.#lanes.destroy(key), wasDestroyed)
  }

  /** Asks for something that goes over all records, which may take its time, as long as it ends. */
  ofAll<T>(operation: string, task: (backend: SessionBackend) => Promise<T>): Promise<T> {
    const { clock } = this.#settings
    return runOperation(operation, this.#settings, async () => {
      return ['done', await withDeadline(operation, wholeStoreMs, () => task(this.#backend), clock)]
    })
  }

  async close(): Promise<void> {
    this.#guard.close()
    await this.#backend.close()
  }

  #found<Elsewhere>(
    key: string,
    stored: string | undefined,
    moves: readonly Moved[],
    follow: (to: string, moves: readonly Moved[]) => Elsewhere,
  ): FoundRecord | Elsewhere | undefined {
    if (stored === undefined) return undefined
    const text = this.sealer.open(key, stored)
    const moved = readMoved(text)
    if (moved) return moves.length < mostMoves ? follow(moved.to, [...moves, moved]) : undefined
    return text === endedMark ? undefined : { key, stored, text, moves }
  }

  /** Asks anything else of the same place, with the same deadline and the same report. */
  run<T>(
    operation: string,
    task: (waited: Waited, backend: SessionBackend) => Promise<T>,
    outcomeOf: (value: T) => string,
  ): Promise<T> {
    const inTime = () => this.#deadlines.run(operation, (waited) => task(waited, this.#backend))
    return this.#ask(operation, inTime, outcomeOf)
  }

  /** `task` must end in time by itself. */
  async #ask<T>(operation: string, task: () => Promise<T>, outcomeOf: (value: T) => string): Promise<T> {
    const { name, report, clock } = this.#settings
    const guard = this.#guard
    const startedAt = clock.monotonic()
    const answersBefore = guard.answers
    // A breaker may come while this is under way.
    const wasCalm = guard.isCalm
    const end = isHeard(report) ? begin({ component: 'session', name, operation }, report, clock) : undefined
    try {
      const value = await inside(end, wasCalm ? task : () => guard.runWatched(task))
      guard.answered()
      end?.(outcomeOf(value))
      return value
    } catch (cause) {
      if (wasCalm) guard.failed(cause, startedAt, answersBefore)
      const failure = failureOf(cause, name, operation)
      end?.('failed', failure)
      throw failure
    }
  }
}

const noMoves: readonly Moved[] = []

const wasFound = (found: string | undefined) => (found === undefined ? 'miss' : 'hit')
const wasThere = (isThere: boolean) => (isThere ? 'saved' : 'gone')
const asItIs = (written: Written) => written
const wasDestroyed = () => 'destroyed'
