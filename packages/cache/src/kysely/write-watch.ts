import type { CompiledQuery } from 'kysely'
import type { Invalidation } from '../bus/bus.ts'
import { OpaqueStatementError } from './errors.ts'
import type { Dependents, Invalidates } from './invalidates.ts'
import { isNode } from './nodes.ts'
import type { Outbox, OutboxEntry } from './outbox.ts'
import { mayBeSame, parseTable, type Table, tableText, tagsOfWrite } from './table.ts'
import { writtenTables } from './tables-written.ts'
import { namedTables } from './writes-to.ts'

export interface WriteWatchParts {
  readonly cache: Invalidates
  readonly database: string
  readonly dependents: Dependents
  readonly outbox: Outbox
  /** Whether every invalidation goes through the outbox, and not only those that ask for it. */
  readonly isDurable: boolean
}

/** What the writes of one instance invalidate, and how that is told. */
export class WriteWatch {
  readonly isDurable: boolean
  readonly cache: Invalidates
  readonly #database: string
  readonly #dependents: readonly (readonly [table: Table, names: readonly Table[]])[]
  readonly #outbox: Outbox

  constructor({ cache, database, dependents, outbox, isDurable }: WriteWatchParts) {
    this.cache = cache
    this.isDurable = isDurable
    this.#database = database
    this.#outbox = outbox
    this.#dependents = Object.entries(dependents).map(
      ([table, names]) => [parseTable(table), names.map(parseTable)] as const,
    )
  }

  /** Throws `OpaqueStatementError` where that cannot be seen: before the statement is sent. */
  changesOf({ query, queryId }: CompiledQuery): Invalidation {
    if (!isNode(query)) return { keys: [], tags: [] }
    const { tables, opaque } = writtenTables(query)
    const named = namedTables(queryId)
    if (opaque !== undefined && named === undefined) throw new OpaqueStatementError('writes', opaque)
    const changed = new Map<string, Table>()
    for (const table of [...tables, ...(named ?? [])]) this.#collect(table, changed)
    const tags = [...changed.values()].flatMap((table) => tagsOfWrite(this.#database, table))
    return { keys: [], tags: [...new Set(tags)] }
  }

  /** The outbox's rows for these changes, as statements for the transaction that makes them. */
  record(changes: Invalidation): readonly OutboxEntry[] {
    return this.#outbox.entries(this.cache.name, changes)
  }

  /** After the commit. Never rejects: the write is done, and what the cache failed at it has reported. */
  async tell(changes: Invalidation, recorded: readonly OutboxEntry[]): Promise<void> {
    if (changes.keys.length === 0 && changes.tags.length === 0) return
    const delivery = await this.cache.invalidate(changes).catch(() => 'failed' as const)
    if (delivery === 'done') this.#outbox.settle(recorded.map(({ id }) => id))
  }

  /** Waits for what is still to be taken out of the outbox. */
  async close(): Promise<void> {
    await this.#outbox.settled()
  }

  #collect(table: Table, into: Map<string, Table>): void {
    const text = tableText(table)
    // Who empties the outbox must not fill it by that.
    if (into.has(text) || this.#outbox.isTable(table)) return
    into.set(text, table)
    for (const [source, names] of this.#dependents) {
      if (mayBeSame(source, table)) for (const name of names) this.#collect(name, into)
    }
  }
}
