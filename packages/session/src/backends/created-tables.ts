import { exponentialBackoff, retry } from '@stepladder/core'
import type { Kysely } from 'kysely'
import { isBusy, isCreationRace } from './sql-errors.ts'

const busyBackoff = exponentialBackoff({ baseMs: 2, maxMs: 20 })

/** What must be there before the first query. */
export interface TableDefinition<Tables> {
  /** Rejects where the tables are missing, or are others. */
  look(database: Kysely<Tables>): Promise<unknown>
  create(database: Kysely<Tables>): Promise<void>
}

/** Tables of ours in the app's database: created at the first query, and asked again while SQLite is busy. */
export class CreatedTables<Tables> {
  readonly #database: Kysely<Tables>
  readonly #definition: TableDefinition<Tables>
  #created: Promise<void> | undefined

  constructor(database: Kysely<Tables>, definition: TableDefinition<Tables>) {
    this.#database = database
    this.#definition = definition
  }

  async run<T>(query: (database: Kysely<Tables>) => Promise<T>): Promise<T> {
    this.#created ??= this.#create()
    await this.#created.catch((failure: unknown) => {
      this.#created = undefined // whoever comes next tries again
      throw failure
    })
    return retry(() => query(this.#database), { attempts: 20, backoff: busyBackoff, retryIf: isBusy })
  }

  async #create(): Promise<void> {
    const { look, create } = this.#definition
    // Looked for first: an app whose tables come from migrations may have no right to create any.
    const isThere = await look(this.#database).then(
      () => true,
      () => false,
    )
    if (isThere) return
    // Others may not only create it too, but write into it at once, which keeps a SQLite file busy.
    const patience = { attempts: 40, backoff: busyBackoff, retryIf: isCreationRace }
    await retry(() => create(this.#database), patience)
  }
}
