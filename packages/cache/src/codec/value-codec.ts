/**
 * How values become bytes. One that a codec encodes must come back from `decode` as it was, in another process
 * and after an upgrade, or be refused by `encode`: `testValueCodec` is that promise as tests.
 */
export interface ValueCodec {
  /** Stands in every record that it writes: 1 to 32 letters, digits, `_`, `.` and `-`. Its format belongs to it. */
  readonly id: string
  /** Throws for a value that would not come back as it is; an `UnstorableValueError` is passed on as it stands. */
  encode(value: unknown): Buffer | string
  /** Gets what `encode` returned; may throw. What it returns must not be a view of `bytes`. */
  decode(bytes: Buffer): unknown
}
