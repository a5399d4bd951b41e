import type {
  AbortableOperationOptions,
  AbortableQueryOptions,
  CompiledQuery,
  ConnectionProvider,
  DatabaseConnection,
  DialectAdapter,
  KyselyPlugin,
  QueryExecutor,
  QueryId,
  QueryResult,
  RootOperationNode,
} from 'kysely'
import { markOrigin, type Origin } from './origin.ts'
import { pluginText } from './plugin-text.ts'

/**
 * An executor that marks what it compiles with where it was made. Kysely makes the executor of a transaction, or
 * of one connection, out of its own by giving it another provider of connections: that is how these are known.
 */
export class WatchedExecutor implements QueryExecutor {
  readonly #inner: QueryExecutor
  readonly #origin: Origin

  constructor(inner: QueryExecutor, { database, isPrivate }: Omit<Origin, 'plugins'>) {
    this.#inner = inner
    const plugins = inner.plugins.map(pluginText)
    this.#origin = { database, isPrivate, plugins }
  }

  get adapter(): DialectAdapter {
    return this.#inner.adapter
  }

  get plugins(): readonly KyselyPlugin[] {
    return this.#inner.plugins
  }

  transformQuery<T extends RootOperationNode>(node: T, queryId: QueryId): T {
    return this.#inner.transformQuery(node, queryId)
  }

  compileQuery<R = unknown>(node: RootOperationNode, queryId: QueryId): CompiledQuery<R> {
    const compiled = this.#inner.compileQuery<R>(node, queryId)
    markOrigin(compiled, this.#origin)
    return compiled
  }

  provideConnection<T>(
    consumer: (connection: DatabaseConnection) => Promise<T>,
    options?: AbortableOperationOptions,
  ): Promise<T> {
    return this.#inner.provideConnection(consumer, options)
  }

  executeQuery<R>(compiled: CompiledQuery<R>, options?: AbortableQueryOptions): Promise<QueryResult<R>> {
    return this.#inner.executeQuery(compiled, options)
  }

  stream<R>(
    compiled: CompiledQuery<R>,
    chunkSize: number,
    options?: AbortableOperationOptions,
  ): AsyncIterableIterator<QueryResult<R>> {
    return this.#inner.stream(compiled, chunkSize, options)
  }

  withConnectionProvider(provider: ConnectionProvider): QueryExecutor {
    return this.#around(this.#inner.withConnectionProvider(provider), true)
  }

  withPlugin(plugin: KyselyPlugin): QueryExecutor {
    return this.#around(this.#inner.withPlugin(plugin))
  }

  withPlugins(plugins: readonly KyselyPlugin[]): QueryExecutor {
    return this.#around(this.#inner.withPlugins(plugins))
  }

  withPluginAtFront(plugin: KyselyPlugin): QueryExecutor {
    return this.#around(this.#inner.withPluginAtFront(plugin))
  }

  withoutPlugins(): QueryExecutor {
    return this.#around(this.#inner.withoutPlugins())
  }

  #around(inner: QueryExecutor, isPrivate = this.#origin.isPrivate): QueryExecutor {
    return new WatchedExecutor(inner, { database: this.#origin.database, isPrivate })
  }
}
