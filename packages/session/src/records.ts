import { withDeadline } from '@stepladder/core'
import type { SessionBackend } from './backend.ts'
import { runOperation } from './operation.ts'
import type { PlaceSettings } from './options.ts'
import type { Sealer } from './record/sealer.ts'
import { WriteLanes, type Written } from './write-lanes.ts'

/** A change to a record that was read. */
export interface RecordChange {
  /** The record that the change was made to, and that record as it was stored, where that is known. */
  readonly base: string
  readonly stored: string | undefined
  /** What the change makes of the record that is there now. Called again whenever another process was first. */
  apply(current: string): string
  readonly ttlMs: number
}

/** A record as the backend has it, and as text. */
export interface FoundRecord {
  readonly stored: string
  readonly text: string
}

/**
 * The records of all sessions: each call ends in time, is reported once, and fails with `SessionUnavailableError`.
 * Changes to one record wait for each other here, and never revive one that is gone.
 */
export class Records {
  readonly sealer: Sealer
  readonly #backend: SessionBackend
  readonly #settings: PlaceSettings
  readonly #lanes: WriteLanes

  constructor(backend: SessionBackend, sealer: Sealer, settings: PlaceSettings) {
    this.#backend = backend
    this.sealer = sealer
    this.#settings = settings
    this.#lanes = new WriteLanes(backend, sealer)
  }

  /** Undefined when there is none. Throws `InvalidSessionRecordError` for what cannot be opened. */
  async read(key: string): Promise<FoundRecord | undefined> {
    const stored = await runOperation('get', this.#settings, async () => {
      const found = await this.#backend.get(key)
      return [found === undefined ? 'miss' : 'hit', found]
    })
    return stored === undefined ? undefined : { stored, text: this.sealer.open(key, stored) }
  }

  async create(key: string, text: string, ttlMs: number): Promise<void> {
    await this.#run('set', (signal) => this.#lanes.put(key, { text, ttlMs, signal }))
  }

  /** `gone`: there is no such session any more, and nothing was written. */
  change(operation: 'set' | 'touch' | 'update', key: string, change: RecordChange): Promise<Written> {
    return this.#run(operation, (signal) => this.#lanes.edit(key, { ...change, signal }))
  }

  async destroy(key: string): Promise<void> {
    await this.#run('destroy', async () => {
      await this.#lanes.destroy(key)
      return 'destroyed'
    })
  }

  async close(): Promise<void> {
    await this.#backend.close()
  }

  #run<T extends string>(operation: string, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { timeoutMs, clock } = this.#settings
    return runOperation(operation, this.#settings, async () => {
      const outcome = await withDeadline(operation, timeoutMs, task, clock)
      return [outcome, outcome]
    })
  }
}
