import type { AbortableOperationOptions, DatabaseConnection, Kysely } from 'kysely'
import type { AnyTables } from './database.ts'

/** A connection of an instance, taken when it is first wanted and held until it is returned. */
export class LentConnection {
  readonly #base: Kysely<AnyTables>
  readonly #options: AbortableOperationOptions | undefined
  #connection: Promise<DatabaseConnection> | undefined
  #giveBack: (() => Promise<void>) | undefined

  constructor(base: Kysely<AnyTables>, options: AbortableOperationOptions | undefined) {
    this.#base = base
    this.#options = options
  }

  get(): Promise<DatabaseConnection> {
    this.#connection ??= new Promise((resolve, reject) => {
      const returned = Promise.withResolvers<void>()
      const lent = this.#base.getExecutor().provideConnection(async (connection) => {
        resolve(connection)
        await returned.promise
      }, this.#options)
      lent.catch(reject)
      this.#giveBack = async () => {
        returned.resolve()
        await lent
      }
    })
    return this.#connection
  }

  /** From now on it is this one, which somebody else gives back. */
  replaceBy(connection: Promise<DatabaseConnection>): void {
    this.#connection = connection
  }

  /** Resolves when the next one can have it. */
  async release(): Promise<void> {
    await this.#giveBack?.()
  }
}
