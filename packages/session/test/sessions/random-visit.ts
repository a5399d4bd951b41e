import type { Session, Sessions } from '@stepladder/session'
import { expect } from 'vitest'
import { at, type Fields, Life, objectAt, type Visiting } from './life.ts'
import { cookieOf } from './set-up.ts'

/** One request that does what the seed wants, and checks what it is told. */
export class RandomVisit {
  life: Life
  readonly #name: string
  readonly #sessions: Sessions<Fields>
  readonly #random: () => number
  readonly #isFaulty: boolean
  /** Set by `run`. */
  #session!: Session<Fields>
  /** What it has put into its session, by path. */
  readonly #put = new Map<string, number>()
  /** What it must have been told when its turn is acknowledged. */
  #increments = 0
  /** What it had put there when it first acted after the session's end. */
  #putAtEnd: ReadonlyMap<string, number> | undefined
  #isUpdateDoubted = false
  #isOver = false

  constructor(name: string, { life, sessions, random, isFaulty }: Visiting) {
    this.#name = name
    this.life = life
    this.#sessions = sessions
    this.#random = random
    this.#isFaulty = isFaulty
  }

  async run(): Promise<void> {
    if (!(await this.#load())) return
    if (this.#session.info.isNew) {
      expect(this.life.isEnding).toBe(true)
      this.life = new Life()
    }
    for (const path of this.#paths()) expect(at(this.#session, path)).toBeUndefined()
    const steps = [
      ...[() => this.#set(), () => this.#set(), () => this.#set(), () => this.#remove()],
      ...[() => this.#save(), () => this.#saveLater(), () => this.#increment(), () => this.#incrementLater()],
      ...[() => this.#update(), () => this.#reload(), () => this.#askForToken(), () => this.#pause()],
    ]
    const ends = [() => this.#destroy(), () => this.#regenerate(false), () => this.#regenerate(true)]
    for (let left = 1 + this.#below(6); left > 0 && !this.#isOver; left -= 1) {
      this.#isLate()
      await (this.#below(9) === 0 ? this.#oneOf(ends)() : this.#oneOf(steps)())
      if (!this.#isOver) this.#look()
    }
    await this.#commit()
  }

  #load(): Promise<boolean> {
    const load = async () => {
      this.#session = await this.#sessions.load(this.life.cookie)
    }
    return this.#told(load, false)
  }

  #set(): void {
    const path = this.#path()
    const value = this.#below(1_000)
    this.#put.set(path, value)
    const [outer, inner] = path.split('.')
    if (inner === undefined) Object.assign(this.#session, { [path]: value })
    else Object.assign(objectAt(this.#session, outer!), { [inner]: value })
  }

  #remove(): void {
    const path = this.#path()
    this.#put.delete(path)
    const [outer, inner] = path.split('.')
    if (inner === undefined) Reflect.deleteProperty(this.#session, path)
    else Reflect.deleteProperty(objectAt(this.#session, outer!), inner)
  }

  async #save(): Promise<void> {
    await this.#told(() => this.#session.save())
  }

  #saveLater(): void {
    this.#doubt(this.life, this.#put)
    this.#session.save().catch(() => {})
  }

  async #increment(): Promise<void> {
    await this.#told(() => this.#count())
  }

  #incrementLater(): void {
    this.#doubt(this.life, this.#put)
    this.#count().catch(() => {})
  }

  #count(): Promise<number> {
    this.#increments += 1
    this.life.tried += 1
    const counted = this.#session.increment('count')
    counted.catch(() => {
      this.#increments -= 1
    })
    return counted
  }

  async #update(): Promise<void> {
    const path = `${this.#name}u`
    const before = this.#put.get(path)
    const value = this.#below(1_000)
    this.#put.set(path, value)
    const update = async () => {
      await this.#session.update((fields) => {
        fields[path] = value
      })
      this.#isUpdateDoubted = false
    }
    const isDone = await this.#told(update)
    if (isDone) return
    // It may be there all the same, and no later save of this request would tell.
    this.#isUpdateDoubted = true
    this.#doubtPath(this.life, path)
    if (before === undefined) this.#put.delete(path)
    else this.#put.set(path, before)
  }

  /** What was changed and not saved is dropped: from here on what the store has is what was put. */
  async #reload(): Promise<void> {
    if (this.#session.info.isNew) return
    const isReloaded = await this.#told(() => this.#session.reload(), false)
    if (!isReloaded) return
    for (const path of this.#paths()) {
      const found = at(this.#session, path)
      if (found === undefined) this.#put.delete(path)
      else this.#put.set(path, found)
    }
  }

  #askForToken(): void {
    this.#session.csrfToken()
  }

  async #pause(): Promise<void> {
    for (let turns = this.#below(6); turns > 0; turns -= 1) await new Promise(setImmediate)
  }

  async #destroy(): Promise<void> {
    const { life } = this
    life.isEnding = true
    if (await this.#told(() => this.#session.destroy(), false)) life.isEnded = true
    this.#isOver = true
  }

  async #regenerate(keep: boolean): Promise<void> {
    const { life } = this
    life.isEnding = true
    let next: Session<Fields> | undefined
    const regenerate = async () => {
      next = await this.#session.regenerate({ keep })
    }
    const isDone = await this.#told(regenerate, false)
    if (!isDone || !next) {
      this.#isOver = true
      return
    }
    life.isEnded = true
    this.#session = next
    this.life = new Life()
    this.#putAtEnd = undefined
    if (keep) life.next = this.life
    else this.#put.clear()
    this.#increments = 0
  }

  async #commit(): Promise<void> {
    const { life } = this
    let setCookie: string | undefined
    const commit = async () => {
      setCookie = await this.#sessions.commit(this.#session)
    }
    if (!(await this.#told(commit)) || this.#isOver) return
    if (setCookie !== undefined && !setCookie.includes('Max-Age=0')) life.cookie = cookieOf(setCookie)
  }

  /** Runs it, and notes what was acknowledged by it. A failure must be that the session has ended, and true. */
  async #told(task: () => Promise<unknown>, isSave = true): Promise<boolean> {
    const { life } = this
    const put = new Map(this.#put)
    const mustFail = isSave && this.#isLate()
    try {
      await task()
    } catch (failure) {
      const { code } = failure as { code?: string }
      expect(['SESSION_ENDED', 'SESSION_UNAVAILABLE']).toContain(code)
      if (code === 'SESSION_ENDED') expect(life.isEnding).toBe(true)
      else expect(this.#isFaulty).toBe(true)
      this.#doubt(life, put)
      return false
    }
    expect(mustFail).toBe(false)
    if (!isSave || this.#isOver) return true
    for (const path of this.#paths()) {
      if (!path.endsWith('u') || !this.#isUpdateDoubted) life.acked.set(path, put.get(path))
    }
    life.counted += this.#increments
    this.#increments = 0
    return true
  }

  #doubt(life: Life, put: ReadonlyMap<string, number>): void {
    for (const path of this.#paths()) if (life.acked.get(path) !== put.get(path)) this.#doubtPath(life, path)
  }

  #doubtPath(life: Life, path: string): void {
    life.acked.delete(path)
    life.doubted.add(path)
  }

  /** Whether it has changed something since somebody was told that the session has ended. */
  #isLate(): boolean {
    if (!this.life.isEnded || this.#isOver) return false
    this.#putAtEnd ??= new Map(this.#put)
    const others = [this.#putAtEnd, this.life.acked]
    return this.#paths().some((path) => others.every((each) => each.get(path) !== this.#put.get(path)))
  }

  /** Nothing that it has put into its session may vanish from there by itself. */
  #look(): void {
    for (const path of this.#paths()) {
      if (path.endsWith('u') && this.#isUpdateDoubted) continue
      expect([path, at(this.#session, path)]).toEqual([path, this.#put.get(path)])
    }
  }

  #path(): string {
    return this.#oneOf(this.#paths().slice(0, -1))
  }

  #paths(): string[] {
    return [`${this.#name}a`, `${this.#name}b`, `shared.${this.#name}`, `${this.#name}u`]
  }

  #oneOf<T>(of: readonly T[]): T {
    return of[this.#below(of.length)]!
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }
}
