import type { AbortableOperationOptions, DatabaseConnection, Kysely } from 'kysely'
import type { AnyTables } from './database.ts'

/** A connection of an instance, taken when it is first wanted and held until it is returned. */
export class LentConnection {
  readonly #base: Kysely<AnyTables>
  readonly #options: AbortableOperationOptions | undefined
  #bound: Promise<Kysely<AnyTables>> | undefined
  #connection: Promise<DatabaseConnection> | undefined
  #giveBack: (() => Promise<void>) | undefined

  constructor(base: Kysely<AnyTables>, options: AbortableOperationOptions | undefined) {
    this.#base = base
    this.#options = options
  }

  get(): Promise<DatabaseConnection> {
    this.#connection ??= this.#bind().then((one) =>
      one.getExecutor().provideConnection(async (connection) => connection),
    )
    return this.#connection
  }

  /** The instance with this connection and no other: a transaction that it begins is on it. */
  async instance(): Promise<Kysely<AnyTables>> {
    // While a transaction is open, the instance has it for that alone.
    await this.get()
    return this.#bind()
  }

  /** Resolves when the next one can have it. */
  async release(): Promise<void> {
    await this.#giveBack?.()
  }

  #bind(): Promise<Kysely<AnyTables>> {
    this.#bound ??= new Promise((resolve, reject) => {
      const returned = Promise.withResolvers<void>()
      const lent = this.#base.connection().execute(async (one) => {
        resolve(one)
        await returned.promise
      }, this.#options)
      lent.catch(reject)
      this.#giveBack = async () => {
        returned.resolve()
        await lent
      }
    })
    return this.#bound
  }
}
