import type {
  AbortableOperationOptions,
  CompiledQuery,
  ControlConnectionProvider,
  ControlledTransaction,
  DatabaseConnection,
  Kysely,
  QueryResult,
  TransactionSettings,
} from 'kysely'
import type { Invalidation } from '../bus/bus.ts'
import { Changes } from './changes.ts'
import { type AnyTables, rawStatement } from './database.ts'
import { LentConnection } from './lent-connection.ts'
import type { OutboxEntry } from './outbox.ts'
import { type Control, controlOf, isChained } from './raw-statement.ts'
import type { WriteWatch } from './write-watch.ts'

/** What is to be done about a statement when it has ended. */
interface Ending {
  succeeded(): Promise<void>
  failed(): Promise<void>
}

const nothingToDo: Ending = { succeeded: async () => {}, failed: async () => {} }

/**
 * A connection that hears what is written over it. The watched instance lends it when the first statement, or the
 * first transaction, wants one.
 *
 *     idle ──statement──▶ lent ──begin(), or as SQL──▶ in a transaction ──commit, rollback──▶ lent ──release()──▶ over
 *
 * A write outside a transaction, and a commit, end when the cache was told; also when they fail, since a
 * connection that breaks at the wrong moment hides that they were done.
 */
export class Session implements DatabaseConnection {
  readonly watch: WriteWatch
  readonly #lent: LentConnection
  readonly #changes = new Changes()
  #transaction: ControlledTransaction<AnyTables, string[]> | undefined
  #isInTransaction = false
  #isDurable: boolean

  constructor(base: Kysely<AnyTables>, watch: WriteWatch, options: AbortableOperationOptions | undefined) {
    this.#lent = new LentConnection(base, options)
    this.watch = watch
    this.#isDurable = watch.isDurable
  }

  async executeQuery<R>(
    compiled: CompiledQuery,
    options?: AbortableOperationOptions,
  ): Promise<QueryResult<R>> {
    const ending = await this.#enter(compiled)
    const connection = await this.#lent.get()
    const result = await connection.executeQuery<R>(compiled, options).catch(async (failure) => {
      await ending.failed()
      throw failure
    })
    await ending.succeeded()
    return result
  }

  async *streamQuery<R>(
    compiled: CompiledQuery,
    chunkSize: number,
    options?: AbortableOperationOptions,
  ): AsyncIterableIterator<QueryResult<R>> {
    const ending = await this.#enter(compiled)
    const connection = await this.#lent.get()
    let hasFailed = false
    try {
      yield* connection.streamQuery<R>(compiled, chunkSize, options)
    } catch (failure) {
      hasFailed = true
      throw failure
    } finally {
      // Who stops listening half way has written all the same.
      await (hasFailed ? ending.failed() : ending.succeeded())
    }
  }

  /** What is written from now on is told when the transaction commits. */
  async begin({ isolationLevel, accessMode }: TransactionSettings): Promise<void> {
    let builder = (await this.#lent.instance()).startTransaction()
    if (isolationLevel) builder = builder.setIsolationLevel(isolationLevel)
    if (accessMode) builder = builder.setAccessMode(accessMode)
    // Kysely counts savepoints in the type; here they have names that come at run time.
    this.#transaction = (await builder.execute()) as ControlledTransaction<AnyTables, string[]>
    this.#isInTransaction = true
  }

  async commit(): Promise<void> {
    const recorded = await this.#record()
    try {
      await this.#begun.commit().execute()
    } finally {
      await this.#leave(recorded)
    }
  }

  async rollback(): Promise<void> {
    this.#changes.forget()
    this.#isInTransaction = false
    this.#isDurable = this.watch.isDurable
    await this.#begun.rollback().execute()
  }

  async savepoint(name: string): Promise<void> {
    await this.#begun.savepoint(name).execute()
    this.#changes.mark(name)
  }

  async rollbackToSavepoint(name: string): Promise<void> {
    await this.#begun.rollbackToSavepoint(name).execute()
    this.#changes.backTo(name)
  }

  async releaseSavepoint(name: string): Promise<void> {
    await this.#begun.releaseSavepoint(name).execute()
  }

  /** Adds to what the transaction tells when it commits, by way of the outbox. */
  defer(invalidation: Invalidation): void {
    this.#changes.add(invalidation)
    this.#isDurable = true
  }

  /** Gives the connection back. A transaction that was left open by SQL may still be committed by what comes next. */
  async release(): Promise<void> {
    if (this.#isInTransaction) await this.#leave([])
    await this.#lent.release()
  }

  async collectSessionInfo(): Promise<void> {
    await (await this.#lent.get()).collectSessionInfo?.()
  }

  async cancelQuery(control: ControlConnectionProvider): Promise<void> {
    await (await this.#lent.get()).cancelQuery?.(control)
  }

  async killSession(control: ControlConnectionProvider): Promise<void> {
    await (await this.#lent.get()).killSession?.(control)
  }

  get #begun(): ControlledTransaction<AnyTables, string[]> {
    if (this.#transaction) return this.#transaction
    throw new Error('no transaction has begun on this connection')
  }

  /** Before a statement is sent. Throws where it must not be. */
  async #enter(compiled: CompiledQuery): Promise<Ending> {
    const changes = this.watch.changesOf(compiled)
    const control = compiled.query.kind === 'RawNode' ? controlOf(compiled.sql) : undefined
    if (control) return this.#enterControl(control, isChained(compiled.sql))
    if (changes.tags.length === 0) return nothingToDo
    if (!this.#isInTransaction)
      return this.#isDurable ? this.#enterDurable(changes) : this.#enterPlain(changes)
    this.#changes.add(changes)
    return nothingToDo
  }

  async #enterControl(control: Control, isNextBegun: boolean): Promise<Ending> {
    if (control === 'savepoint') return nothingToDo
    if (control === 'begin') {
      const succeeded = async () => {
        this.#isInTransaction = true
      }
      return { ...nothingToDo, succeeded }
    }
    if (control === 'rollback') this.#changes.forget()
    const recorded = await this.#record()
    const leave = () => this.#leave(recorded)
    const succeeded = async () => {
      await leave()
      this.#isInTransaction = isNextBegun
    }
    return { succeeded, failed: leave }
  }

  #enterPlain(changes: Invalidation): Ending {
    const tell = () => this.watch.tell(changes, [])
    return { succeeded: tell, failed: tell }
  }

  /** A statement of its own becomes a transaction, so that the outbox's row is written with it or not at all. */
  async #enterDurable(changes: Invalidation): Promise<Ending> {
    await this.#send('begin')
    this.#changes.add(changes)
    const commit = async () => {
      const recorded = await this.#record()
      try {
        await this.#send('commit')
      } finally {
        await this.#leave(recorded)
      }
    }
    const undo = async () => {
      this.#changes.forget()
      // The statement's own failure says what happened.
      await this.#send('rollback').catch(() => {})
    }
    const succeeded = () =>
      commit().catch(async (failure) => {
        await undo()
        throw failure
      })
    return { succeeded, failed: undo }
  }

  async #record(): Promise<readonly OutboxEntry[]> {
    if (!this.#isDurable || this.#changes.isEmpty) return []
    const entries = this.watch.record(this.#changes.all())
    const connection = await this.#lent.get()
    for (const { statement } of entries) await connection.executeQuery(statement)
    return entries
  }

  async #leave(recorded: readonly OutboxEntry[]): Promise<void> {
    const changes = this.#changes.all()
    this.#changes.forget()
    this.#isInTransaction = false
    this.#isDurable = this.watch.isDurable
    await this.watch.tell(changes, recorded)
  }

  async #send(sql: string): Promise<void> {
    const connection = await this.#lent.get()
    await connection.executeQuery(rawStatement(sql))
  }
}
