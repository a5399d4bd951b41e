/** Any Kysely instance of any copy of the package, 0.29 or later. */
export interface KyselyInstance {
  readonly isTransaction: boolean
  getExecutor(): object
  withoutPlugins(): object
  destroy(): Promise<void>
}

/** Any transaction of such an instance, begun either way. */
export interface KyselyTransaction {
  readonly isTransaction: boolean
  getExecutor(): object
  withoutPlugins(): object
}
