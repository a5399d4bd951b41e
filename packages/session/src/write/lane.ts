import { AsyncResource } from 'node:async_hooks'
import type { Waited } from '@stepladder/core'

/** A record that is new, or that takes the place of whatever is there. */
export interface Put {
  readonly text: string
  readonly ttlMs: number
  readonly waited: Waited
}

/** A change to a record that is known to exist. */
export interface Edit {
  /** The record that the change was made to; undefined when the caller never read it. */
  readonly base: string | undefined
  /** That record as the backend has it: where the commit begins. Undefined: it is read first. */
  readonly stored: string | undefined
  /** What the change makes of the record that is there now. */
  apply(current: string): string
  /** How long the record is kept; a function is asked about the record that results, which others have a part in. */
  readonly ttlMs: number | ((text: string) => number)
  readonly waited: Waited
}

/**
 * How a change ended: written as it was, written into what others had written meanwhile, or dropped because
 * the session is gone.
 */
export type Written = 'saved' | 'merged' | 'gone'

/** A change on its way, and how it ended. */
export class Waiting<Change extends Put | Edit> {
  change: Change
  #state: 'under way' | 'failed' | Written = 'under way'
  #failure: unknown
  #wake: (() => void) | undefined

  constructor(change: Change) {
    this.change = change
  }

  /** The first end counts. */
  end(written: Written): void {
    if (this.#state !== 'under way') return
    this.#state = written
    this.#wake?.()
  }

  fail(failure: unknown): void {
    if (this.#state !== 'under way') return
    this.#state = 'failed'
    this.#failure = failure
    this.#wake?.()
  }

  get isUnderWay(): boolean {
    return this.#state === 'under way'
  }

  ended(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  /** How it ended. Throws what it failed with. */
  get outcome(): Written {
    const state = this.#state
    if (state === 'failed' || state === 'under way') throw this.#failure
    return state
  }
}

/** What goes out in one commit: a put begins anew and goes alone, edits that follow each other go together. */
export type Group = Waiting<Put> | readonly Waiting<Edit>[]

/** The changes of one session that wait for the commit under way. */
export class Lane {
  readonly waiting: (Waiting<Put> | Waiting<Edit>)[] = []
  /** The record as this process stored it last, where the next commit begins. If it is old, `replace` says so. */
  last: string | undefined
  #atEnd: (() => void)[] | undefined

  /** It goes out with others', and an app that is asked by `apply` must find its own request around it, not theirs. */
  add(waiting: Waiting<Put> | Waiting<Edit>): void {
    if (isEdit(waiting)) {
      const { change } = waiting
      waiting.change = { ...change, apply: AsyncResource.bind((current: string) => change.apply(current)) }
    }
    this.waiting.push(waiting)
  }

  /** Resolves when the commit under way has ended, well or not. */
  commitEnded(): Promise<void> {
    this.#atEnd ??= []
    const atEnd = this.#atEnd
    return new Promise((resolve) => atEnd.push(resolve))
  }

  /** The commit under way has ended. What is to go out next; undefined: nothing. */
  next(): Group | undefined {
    for (const tell of this.#atEnd ?? []) tell()
    this.#atEnd = undefined
    const [first] = this.waiting
    if (first === undefined) {
      // Where lanes come and go all the time, V8 keeps them for a while.
      this.last = undefined
      return undefined
    }
    if (isPut(first)) {
      this.waiting.shift()
      return first
    }
    const firstPut = this.waiting.findIndex(isPut)
    return this.waiting.splice(0, firstPut < 0 ? this.waiting.length : firstPut).filter(isEdit)
  }
}

function isPut(waiting: Waiting<Put> | Waiting<Edit>): waiting is Waiting<Put> {
  return !isEdit(waiting)
}

function isEdit(waiting: Waiting<Put> | Waiting<Edit>): waiting is Waiting<Edit> {
  return 'apply' in waiting.change
}
