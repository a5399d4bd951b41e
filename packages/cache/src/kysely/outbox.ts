import { randomUUID } from 'node:crypto'
import type { CompiledQuery, Kysely } from 'kysely'
import type { Invalidation } from '../bus/bus.ts'
import type { AnyTables } from './database.ts'
import type { OutboxRow } from './outbox-table.ts'
import { parseTable, type Table } from './table.ts'

/** How long a relay leaves a row to the process that wrote it, which tells the cache right after its commit. */
const headStartMs = 1_000
/** Rows that are done are taken out together. */
const settleAfterMs = 20
/** Below what the smallest text column of the databases takes. */
const maxTextLength = 16_000

/** A row to write, as a statement for the transaction that it belongs to. */
export interface OutboxEntry {
  readonly id: string
  readonly statement: CompiledQuery
}

/** Writes rows, and takes them out again when what they ask for is done. */
export class Outbox {
  readonly #database: Kysely<AnyTables>
  readonly #table: string
  readonly #name: string
  #done: string[] = []
  #timer: NodeJS.Timeout | undefined
  #settling: Promise<void> = Promise.resolve()

  constructor(database: Kysely<AnyTables>, table: string) {
    // Plugins may rename columns.
    this.#database = database.withoutPlugins()
    this.#table = table
    this.#name = parseTable(table).name
  }

  isTable({ name }: Table): boolean {
    return name === this.#name
  }

  /** One row, or as many as it takes. */
  entries(cache: string, invalidation: Invalidation): OutboxEntry[] {
    return rowsOf(cache, invalidation, headStartMs).map((row) => ({
      id: row.id,
      statement: this.#database
        .insertInto(this.#table)
        .values({ ...row })
        .compile(),
    }))
  }

  /** Takes rows out, soon. Where that fails, a relay does once more what they ask for. */
  settle(ids: readonly string[]): void {
    if (ids.length === 0) return
    this.#done.push(...ids)
    this.#timer ??= setTimeout(() => this.#takeOut(), settleAfterMs).unref()
  }

  /** Takes out at once what waits: nothing may keep the process alive until the timer. */
  async settled(): Promise<void> {
    this.#takeOut()
    await this.#settling
  }

  #takeOut(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const ids = this.#done
    this.#done = []
    if (ids.length === 0) return
    const before = this.#settling
    const taken = this.#database.deleteFrom(this.#table).where('id', 'in', ids).execute()
    this.#settling = taken.catch(() => {}).then(() => before)
  }
}

/** The rows of an invalidation, due after `waitMs`. */
export function rowsOf(cache: string, { keys, tags }: Invalidation, waitMs: number): OutboxRow[] {
  const now = Date.now()
  const times = { created_at: now, due_at: now + waitMs }
  return [
    ...inParts(keys).map((part) => ({ keys: part, tags: [] })),
    ...inParts(tags).map((part) => ({ keys: [], tags: part })),
  ].map((part) => ({ id: randomUUID(), cache, invalidation: JSON.stringify(part), ...times }))
}

function inParts(names: readonly string[]): string[][] {
  const parts: string[][] = []
  let length = Number.POSITIVE_INFINITY
  for (const name of names) {
    length += name.length + 3
    if (length > maxTextLength) {
      parts.push([])
      length = name.length + 3
    }
    parts.at(-1)!.push(name)
  }
  return parts
}
