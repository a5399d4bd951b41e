import type { Clock } from '@stepladder/core'
import type { Turn } from './turn.ts'

/**
 * One read of a key that is under way, and what was heard of its key and tags since it began:
 *
 *     current ──gap──▶ gapped        a message may have been missed: the store's lease decides alone
 *        └──┴─invalidate──▶ invalidated    its value may be old: handed to its callers, stored nowhere
 *
 * Only a current flight is joined, and only a current flight fills this process's memory.
 */
export class Flight<T> {
  readonly key: string
  /** Of the monotonic clock, in milliseconds. */
  readonly startedAt: number
  state: 'current' | 'gapped' | 'invalidated' = 'current'
  /** Grows when the stored record turns out to carry more tags than the caller named. */
  tags: readonly string[]
  /** What its callers get: set before anybody else hears of the flight. */
  answer!: Promise<T>
  readonly #over: (flight: never) => void
  #lettingGo: () => void = nothing
  #goOn: (() => void) | undefined
  #rest: Promise<unknown> | undefined

  /** `over` hears when all of it is over, however it ended. */
  constructor(key: string, tags: readonly string[], startedAt: number, over: (flight: Flight<T>) => void) {
    this.key = key
    this.startedAt = startedAt
    this.tags = tags
    this.#over = over
  }

  /** Says how to give back what the flight holds in the store, where it would keep newer reads waiting. */
  whenInvalidated(letGo: () => void): void {
    this.#lettingGo = letGo
    if (this.state === 'invalidated') letGo()
  }

  /** Waits for what somebody else does with its key: until `touch`, and no longer than so long. Resolves to how long. */
  async pause(atMostMs: number, clock: Clock): Promise<number> {
    const since = clock.monotonic()
    await new Promise<void>((resolve) => {
      const timer = clock.after(atMostMs, resolve)
      this.#goOn = () => {
        timer.cancel()
        resolve()
      }
    })
    this.#goOn = undefined
    return clock.monotonic() - since
  }

  /** Its key was written by others. What it reads from now on is current; what it has read may not be. */
  touch(): void {
    if (this.#goOn) this.#goOn()
    else if (this.state === 'current') this.leave('gapped')
  }

  /** The flight is not over before this has ended, though its callers may have their answer sooner. */
  lastUntil(rest: Promise<unknown>): void {
    this.#rest = this.#rest ? Promise.allSettled([this.#rest, rest]) : rest
  }

  /** Resolves when all of it is over. */
  async ended(): Promise<void> {
    await Promise.allSettled([this.answer])
    await Promise.allSettled([this.#rest])
  }

  /** A gapped flight that hears of an invalidation later has its lease to tell it. */
  leave(state: 'gapped' | 'invalidated'): void {
    this.state = state
    if (state === 'invalidated') this.#lettingGo()
  }

  /** To be called once, when its answer is known. */
  end(): void {
    if (this.#rest) this.#rest.finally(() => this.#leaveBehind()).catch(nothing)
    else this.#leaveBehind()
  }

  #leaveBehind(): void {
    // Typed so that a flight of something is a flight of anything.
    this.#over(this as never)
    // As for an entry that is dropped: tables that a Map has outgrown may keep the flight, and must not keep its answer.
    this.answer = noAnswer
  }
}

function nothing(): void {}
const noAnswer = new Promise<never>(nothing)

/** One flight per key at a time. Core's `SingleFlight` with an eye on what is invalidated meanwhile. */
export class Flights<T> {
  readonly #turn: Turn
  readonly #joinable = new Map<string, Flight<T>>()
  /** Those that nobody joins, as long as they are current. */
  readonly #apart = new Set<Flight<T>>()
  /** Those that are joined no more, and not over. */
  readonly #left = new Set<Flight<T>>()
  readonly #over = (flight: Flight<T>): void => {
    if (this.#joinable.get(flight.key) === flight) {
      this.#joinable.delete(flight.key)
      return
    }
    this.#left.delete(flight)
    this.#apart.delete(flight)
  }

  constructor(turn: Turn) {
    this.#turn = turn
  }

  find(key: string): Flight<T> | undefined {
    return this.#joinable.get(key)
  }

  /** The flight, unless it is older than so long: then it may have missed what nobody could tell it, and is left alone. */
  findYounger(key: string, thanMs: number): Flight<T> | undefined {
    const flight = this.#joinable.get(key)
    if (!flight || this.#turn.now() - flight.startedAt < thanMs) return flight
    this.#leave(flight, 'gapped')
    return undefined
  }

  /** Starts `task`, but not at once: it may call back into the cache, which must find this flight complete. */
  start(key: string, tags: readonly string[], task: (flight: Flight<T>) => Promise<T>): Flight<T> {
    const flight = this.open(key, tags)
    flight.answer = fly(flight, task)
    return flight
  }

  /** A flight that has no answer yet: who opens it sets that in the same step, and ends it. */
  open(key: string, tags: readonly string[]): Flight<T> {
    const flight = new Flight(key, tags, this.#turn.now(), this.#over)
    const older = this.#joinable.get(key)
    if (older) this.#left.add(older)
    this.#joinable.set(key, flight)
    return flight
  }

  /** The same for one caller alone: who asks later has to look for himself. */
  openApart(key: string, tags: readonly string[]): Flight<T> {
    const flight = new Flight(key, tags, this.#turn.now(), this.#over)
    this.#apart.add(flight)
    return flight
  }

  dropKey(key: string): void {
    const flight = this.#joinable.get(key)
    if (flight) this.#leave(flight, 'invalidated')
    for (const apart of this.#apart) if (apart.key === key) this.#leave(apart, 'invalidated')
  }

  /** As `Flight.touch`; who waits can still be joined. */
  touchKey(key: string): void {
    const flight = this.#joinable.get(key)
    flight?.touch()
    if (flight && flight.state !== 'current') this.#forget(flight)
    for (const apart of this.#apart) if (apart.key === key) apart.touch()
  }

  /** Whether `touchKey` would find a flight. */
  touches(key: string): boolean {
    if (this.#joinable.has(key)) return true
    for (const apart of this.#apart) if (apart.key === key) return true
    return false
  }

  dropTag(tag: string): void {
    for (const flight of this.#current()) if (flight.tags.includes(tag)) this.#leave(flight, 'invalidated')
  }

  gap(): void {
    for (const flight of this.#current()) this.#leave(flight, 'gapped')
  }

  /** Resolves when all flights under way have their answer, well or not. */
  async settled(): Promise<void> {
    const underWay = [...this.#joinable.values(), ...this.#apart, ...this.#left]
    await Promise.all(underWay.map((flight) => flight.ended()))
  }

  #current(): Flight<T>[] {
    return [...this.#joinable.values(), ...this.#apart]
  }

  #leave(flight: Flight<T>, state: 'gapped' | 'invalidated'): void {
    this.#forget(flight)
    flight.leave(state)
  }

  /** Nobody joins it any more. */
  #forget(flight: Flight<T>): void {
    if (this.#joinable.get(flight.key) === flight) this.#joinable.delete(flight.key)
    this.#apart.delete(flight)
    this.#left.add(flight)
  }
}

async function fly<T>(flight: Flight<T>, task: (flight: Flight<T>) => Promise<T>): Promise<T> {
  await undefined
  try {
    return await task(flight)
  } finally {
    flight.end()
  }
}
