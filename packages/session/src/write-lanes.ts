import type { Waited } from '@stepladder/core'
import type { Replaced, SessionBackend } from './backend.ts'
import { type EndingPlace, endRecord } from './record/end-record.ts'
import { endedMark, mostMoves, readMoved } from './record/marks.ts'
import { type Sealer, unsealed } from './record/sealer.ts'

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

/** What a change rejects with whose `apply` threw: nothing failed beneath it, so `cause` is the caller's to hear. */
export class ChangeFailure extends Error {}

/**
 * How a change ended: written as it was, written into what others had written meanwhile, or dropped because
 * the session is gone.
 */
export type Written = 'saved' | 'merged' | 'gone'

interface Waiting<Change> {
  readonly change: Change
  readonly resolve: (outcome: Written) => void
  readonly reject: (failure: unknown) => void
}

interface Lane {
  readonly waiting: (Waiting<Put> | Waiting<Edit>)[]
  /** The commit under way. Never rejects. */
  underWay: Promise<void>
  /** The record as this process stored it last, where the next commit begins. If it is old, `replace` says so. */
  last: string | undefined
}

/**
 * One lane per session: its changes wait for the commit under way and then go out as one. Processes contend
 * for a session, requests do not: 200 requests that each retried alone made 22,740 conflicts for 601 writes.
 */
export class WriteLanes {
  readonly #backend: SessionBackend
  readonly #sealer: Sealer
  readonly #lanes = new Map<string, Lane>()
  readonly #place: EndingPlace
  readonly #mayMove: boolean

  /** `mayMove`: records here may lead to where their session is now. */
  constructor(
    backend: SessionBackend,
    sealer: Sealer = unsealed,
    marksEnds: boolean = false,
    mayMove: boolean = false,
  ) {
    this.#backend = backend
    this.#sealer = sealer
    this.#place = { backend, sealer, marksEnds }
    this.#mayMove = mayMove
  }

  /** Resolves when the record is written. A change that nobody waits for is not begun any more. */
  put(id: string, change: Put): Promise<Written> {
    return new Promise((resolve, reject) => this.#enqueue(id, { change, resolve, reject }))
  }

  /** Resolves when the change is written, or dropped because there is no such session any more. */
  edit(id: string, change: Edit): Promise<Written> {
    return new Promise((resolve, reject) => this.#enqueue(id, { change, resolve, reject }))
  }

  /**
   * Destroys, once the commit under way has ended: it cannot land later. What waits is dropped. A session that has moved
   * is destroyed where it is now. Resolves to its record as it was then, unless there was none, or none that opens.
   */
  async destroy(id: string, moves: number = mostMoves): Promise<string | undefined> {
    const there = this.#mayMove && moves > 0 ? await this.#movedTo(id) : undefined
    // What leads there goes last: who destroys it too must not find it gone while the session is still alive.
    const ended = there === undefined ? undefined : await this.destroy(there, moves - 1)
    const text = await this.#destroyHere(id)
    const moved = text === undefined ? undefined : readMoved(text)
    if (!moved || moved.to === there) return ended ?? (moved ? undefined : text)
    return moves > 0 ? this.destroy(moved.to, moves - 1) : undefined
  }

  async #movedTo(id: string): Promise<string | undefined> {
    const stored = await this.#backend.get(id)
    try {
      return stored === undefined ? undefined : readMoved(this.#sealer.open(id, stored))?.to
    } catch {
      return undefined // one that does not open leads nowhere
    }
  }

  async #destroyHere(id: string): Promise<string | undefined> {
    const lane = this.#lanes.get(id)
    const dropped = lane?.waiting.splice(0) ?? []
    await lane?.underWay
    try {
      const ended = await endRecord(this.#place, id)
      for (const { resolve } of dropped) resolve('gone')
      return ended
    } catch (failure) {
      for (const { reject } of dropped) reject(failure)
      throw failure
    }
  }

  #enqueue(id: string, waiting: Waiting<Put> | Waiting<Edit>): void {
    const lane = this.#lanes.get(id)
    if (lane) {
      lane.waiting.push(waiting)
      return
    }
    const opened: Lane = { waiting: [waiting], underWay: Promise.resolve(), last: undefined }
    this.#lanes.set(id, opened)
    void this.#drain(id, opened)
  }

  async #drain(id: string, lane: Lane): Promise<void> {
    while (lane.waiting.length > 0) {
      const group = takeGroup(lane)
      lane.underWay = this.#commit(id, lane, group).catch((failure) => {
        for (const { reject } of group) reject(failure)
      })
      await lane.underWay
    }
    this.#lanes.delete(id)
  }

  async #commit(id: string, lane: Lane, group: readonly (Waiting<Put> | Waiting<Edit>)[]): Promise<void> {
    const [first] = group
    if (first && !isEdit(first)) await this.#putOne(id, lane, first)
    else await this.#editTogether(id, lane, group.filter(isEdit))
  }

  async #putOne(id: string, lane: Lane, { change, resolve }: Waiting<Put>): Promise<void> {
    if (change.waited.isAbandoned) return
    const stored = this.#sealer.seal(id, change.text)
    await this.#backend.put(id, stored, change.ttlMs)
    lane.last = stored
    resolve('saved')
  }

  async #editTogether(id: string, lane: Lane, group: readonly Waiting<Edit>[]): Promise<void> {
    const known = lane.last ?? group[0]?.change.stored
    let current = known ?? (await this.#backend.get(id))
    let isNews = known === undefined
    let open = group
    // Each turn but the last means that another process has written: somebody always gets on.
    for (;;) {
      // Who waits no more has heard of it.
      open = open.filter(({ change }) => !change.waited.isAbandoned)
      const from: string | undefined = current && this.#sealer.open(id, current)
      if (current === undefined || from === undefined || from === endedMark) {
        for (const { resolve } of open) resolve('gone')
        return
      }
      const moved = readMoved(from)
      if (moved) return this.#moveOn(moved.to, open)

      const { text, edits, failed } = applyAll(open, from)
      if (failed.length > 0 && !isNews) {
        // It may have thrown at what is not true any more.
        current = await this.#backend.get(id)
        isNews = true
        continue
      }
      for (const { waiting, failure } of failed) waiting.reject(failure)
      const ttlMs = edits.at(-1)?.change.ttlMs
      if (ttlMs === undefined) return
      open = edits
      const isAsStored = text === from && !this.#sealer.isOutdated(current)
      const stored: string = isAsStored ? current : this.#sealer.seal(id, text)
      const restMs = typeof ttlMs === 'number' ? ttlMs : ttlMs(text)
      // Also where nothing has changed: a mere `touch` would prolong what stands there when the session has gone.
      const written: Replaced = await this.#backend.replace(id, current, stored, restMs)
      if (written.isDone) {
        lane.last = stored
        for (const { change, resolve } of edits) resolve(wasMerged(change, from, edits) ? 'merged' : 'saved')
        return
      }
      current = written.current
      isNews = true
    }
  }

  /** The changes are made to the record where it is now, by the lane that it has there. */
  #moveOn(to: string, group: readonly Waiting<Edit>[]): void {
    for (const { change, ...rest } of group) {
      const there = { ...change, stored: undefined, apply: (current: string) => change.apply(current) }
      this.#enqueue(to, { ...rest, change: there })
    }
  }
}

/** A put begins anew and goes alone; edits that follow each other go together. */
function takeGroup(lane: Lane): (Waiting<Put> | Waiting<Edit>)[] {
  const firstPut = lane.waiting.findIndex((waiting) => !isEdit(waiting))
  if (firstPut === 0) return lane.waiting.splice(0, 1)
  return lane.waiting.splice(0, firstPut === -1 ? lane.waiting.length : firstPut)
}

function isEdit(waiting: Waiting<Put> | Waiting<Edit>): waiting is Waiting<Edit> {
  return 'apply' in waiting.change
}

interface Applied {
  readonly text: string
  readonly edits: readonly Waiting<Edit>[]
  readonly failed: readonly { readonly waiting: Waiting<Edit>; readonly failure: ChangeFailure }[]
}

/** One change after the other. Whose change throws fails alone: the others of its group are others' requests. */
function applyAll(group: readonly Waiting<Edit>[], from: string): Applied {
  let text = from
  const edits: Waiting<Edit>[] = []
  const failed: Applied['failed'][number][] = []
  for (const waiting of group) {
    try {
      text = waiting.change.apply(text)
      edits.push(waiting)
    } catch (cause) {
      failed.push({ waiting, failure: new ChangeFailure('a change threw', { cause }) })
    }
  }
  return { text, edits, failed }
}

function wasMerged(change: Edit, from: string, edits: readonly Waiting<Edit>[]): boolean {
  return edits[0]?.change !== change || (change.base !== undefined && change.base !== from)
}
