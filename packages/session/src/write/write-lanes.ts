import type { Replaced, SessionBackend } from '../backend.ts'
import { type EndingPlace, endRecord } from '../record/end-record.ts'
import { endedMark, mostMoves, readMoved } from '../record/marks.ts'
import { type Sealer, unsealed } from '../record/sealer.ts'
import { type Edit, type Group, Lane, type Put, Waiting, type Written } from './lane.ts'

/** What a change rejects with whose `apply` threw: nothing failed beneath it, so `cause` is the caller's to hear. */
export class ChangeFailure extends Error {}

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
    const waiting = new Waiting(change)
    return this.#bring(id, waiting, waiting)
  }

  /** Resolves when the change is written, or dropped because there is no such session any more. */
  edit(id: string, change: Edit): Promise<Written> {
    const waiting = new Waiting(change)
    return this.#bring(id, waiting, [waiting])
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
    await lane?.commitEnded()
    try {
      const ended = await endRecord(this.#place, id)
      for (const waiting of dropped) waiting.end('gone')
      return ended
    } catch (failure) {
      for (const waiting of dropped) waiting.fail(failure)
      throw failure
    }
  }

  async #bring(id: string, waiting: Waiting<Put> | Waiting<Edit>, alone: Group): Promise<Written> {
    const lane = this.#lanes.get(id)
    if (lane) {
      lane.add(waiting)
    } else {
      const opened = new Lane()
      this.#lanes.set(id, opened)
      try {
        await this.#commit(id, opened, alone)
      } catch (failure) {
        waiting.fail(failure)
      }
      this.#goOn(id, opened)
    }
    if (waiting.isUnderWay) await waiting.ended()
    return waiting.outcome
  }

  /** With what has come while the last commit was under way. */
  #goOn(id: string, lane: Lane): void {
    const group = lane.next()
    if (!group) {
      this.#lanes.delete(id)
      return
    }
    this.#commit(id, lane, group).then(
      () => this.#goOn(id, lane),
      (failure) => {
        for (const waiting of [group].flat()) waiting.fail(failure)
        this.#goOn(id, lane)
      },
    )
  }

  #commit(id: string, lane: Lane, group: Group): Promise<void> {
    return group instanceof Waiting ? this.#put(id, lane, group) : this.#edit(id, lane, group)
  }

  async #put(id: string, lane: Lane, waiting: Waiting<Put>): Promise<void> {
    const { text, ttlMs, waited } = waiting.change
    if (waited.isAbandoned) return
    const stored = this.#sealer.seal(id, text)
    await this.#backend.put(id, stored, ttlMs)
    lane.last = stored
    waiting.end('saved')
  }

  async #edit(id: string, lane: Lane, group: readonly Waiting<Edit>[]): Promise<void> {
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
        for (const waiting of open) waiting.end('gone')
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
      for (const { waiting, failure } of failed) waiting.fail(failure)
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
        for (const waiting of edits) waiting.end(wasMerged(waiting, from, edits) ? 'merged' : 'saved')
        return
      }
      current = written.current
      isNews = true
    }
  }

  /** The changes are made to the record where it is now, by the lane that it has there. */
  #moveOn(to: string, group: readonly Waiting<Edit>[]): void {
    for (const waiting of group) {
      const { change } = waiting
      const there = { ...change, stored: undefined, apply: (current: string) => change.apply(current) }
      this.edit(to, there).then(
        (outcome) => waiting.end(outcome),
        (failure) => waiting.fail(failure),
      )
    }
  }
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

function wasMerged(waiting: Waiting<Edit>, from: string, edits: readonly Waiting<Edit>[]): boolean {
  const { change } = waiting
  return edits[0] !== waiting || (change.base !== undefined && change.base !== from)
}
