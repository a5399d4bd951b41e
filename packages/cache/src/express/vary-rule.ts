/** Maps a request header to one of few values, so that `de-DE,de;q=0.9` and `de` share an entry. */
export type Normalise<R> = (value: string | undefined, request: R) => string

/** One header of `vary`. */
export interface VaryRule<R> {
  /** In small letters. */
  readonly header: string
  readonly normalise: Normalise<R> | undefined
}
