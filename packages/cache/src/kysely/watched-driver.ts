import type {
  AbortableOperationOptions,
  ConnectionProvider,
  DatabaseConnection,
  Driver,
  Kysely,
  TransactionSettings,
} from 'kysely'
import type { AnyTables } from './database.ts'
import { Session } from './session.ts'
import type { WriteWatch } from './write-watch.ts'

/**
 * A driver over an instance of Kysely in place of a database: its connections and transactions are the instance's
 * own, so every dialect and pool works as it did, and what is written and committed can be heard.
 */
export class WatchedDriver implements Driver, ConnectionProvider {
  readonly #base: Kysely<AnyTables>
  readonly #watch: WriteWatch

  constructor(base: Kysely<AnyTables>, watch: WriteWatch) {
    this.#base = base
    this.#watch = watch
  }

  async provideConnection<T>(
    consumer: (connection: DatabaseConnection) => Promise<T>,
    options?: AbortableOperationOptions,
  ): Promise<T> {
    const session = new Session(this.#base, this.#watch, options)
    try {
      return await consumer(session)
    } finally {
      await session.release()
    }
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    await sessionOf(connection).begin(settings)
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await sessionOf(connection).commit()
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await sessionOf(connection).rollback()
  }

  async savepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await sessionOf(connection).savepoint(name)
  }

  async rollbackToSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await sessionOf(connection).rollbackToSavepoint(name)
  }

  async releaseSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await sessionOf(connection).releaseSavepoint(name)
  }

  async init(): Promise<void> {}

  async acquireConnection(options?: AbortableOperationOptions): Promise<DatabaseConnection> {
    return new Session(this.#base, this.#watch, options)
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    await sessionOf(connection).release()
  }

  /** Ends the instance that is watched. */
  async destroy(): Promise<void> {
    await this.#watch.close()
    await this.#base.destroy()
  }
}

function sessionOf(connection: DatabaseConnection): Session {
  if (connection instanceof Session) return connection
  throw new TypeError('this connection is not one that a watched Kysely instance has lent')
}
