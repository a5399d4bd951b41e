import { NothingToKeepError } from '../errors.ts'
import type { Entry } from '../memory/entry.ts'

/** What a loader is told, and may say, beside its value. */
export interface LoadContext<T> {
  /** The value that is over, or soon will be; undefined where there is none, or it was invalidated. */
  readonly previous: T | undefined
  /** What was said of the previous value by `setEtag`. */
  readonly etag: string | undefined
  /** Says how to recognise this value: an ETag, a version, a date. The next load is told. */
  setEtag(etag: string): void
  /** The previous value, which holds for another TTL: `return context.notModified()`. Throws `NothingToKeepError`. */
  notModified(): T
}

/** Brings the value of a key. */
export type Load<T> = (context: LoadContext<T>) => T | Promise<T>

/** A loader whose type the caller knows, and nobody here has to. */
export type AnyLoad = (context: never) => unknown

/** One run of a loader. */
export class LoadRun implements LoadContext<unknown> {
  readonly previous: unknown
  readonly etag: string | undefined
  readonly #hasPrevious: boolean
  /** Of the value that is being loaded. */
  newEtag: string | undefined

  constructor(previous: Entry | undefined) {
    this.previous = previous?.value
    this.etag = previous?.etag
    this.#hasPrevious = previous !== undefined
  }

  // Getters, since a loader may take its context apart, and most loaders never look at it.

  get setEtag(): (etag: string) => void {
    return (etag) => {
      this.newEtag = String(etag)
    }
  }

  get notModified(): () => unknown {
    return () => {
      if (!this.#hasPrevious) throw new NothingToKeepError()
      this.newEtag ??= this.etag
      return this.previous
    }
  }
}
