/** What a request tells of itself when its session is loaded. */
export interface LoadOptions {
  /** Asks the store, whatever memory knows: where a password is changed, say. Default false. */
  readonly fresh?: boolean | undefined
  /** Where the request comes from, and on what browser: kept with the option `device`. */
  readonly ip?: string | undefined
  readonly userAgent?: string | undefined
}
