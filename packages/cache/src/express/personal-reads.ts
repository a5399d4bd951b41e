import type { CachedRequest } from './cached-request.ts'
import { personalPlaces, type SharingRules } from './who-asks.ts'

/**
 * Notices whether a handler looks at who is asking, by the request's session, user or cookies: its answer may then be
 * for that one client, although nothing in the answer says so.
 */
export class PersonalReads {
  /** The first thing that was looked at. */
  seen: string | undefined
  #isPaused = false
  readonly #undo: (() => void)[] = []

  constructor(request: CachedRequest, rules: SharingRules) {
    const { fields, headers } = personalPlaces(request, rules)
    this.#watch(request, fields, '')
    this.#watch(request.headers, headers, 'headers.')
  }

  /** Runs what middleware mounted before this one does while an answer is sent, such as saving the session. */
  aside<T>(task: () => T): T {
    const wasPaused = this.#isPaused
    this.#isPaused = true
    try {
      return task()
    } finally {
      this.#isPaused = wasPaused
    }
  }

  /** Leaves the request as it was. */
  stop(): void {
    for (const undo of this.#undo.splice(0)) undo()
  }

  #watch(holder: object, names: readonly string[], prefix: string): void {
    for (const name of names) {
      const own = Object.getOwnPropertyDescriptor(holder, name)
      if (own?.configurable) this.#watchOne(holder, name, own, `${prefix}${name}`)
    }
  }

  #watchOne(holder: object, name: string, own: PropertyDescriptor, path: string): void {
    // Whoever defined a getter of its own expects to be called on the holder.
    let read = () => (own.get ? own.get.call(holder) : own.value)
    const get = () => {
      if (!this.#isPaused) this.seen ??= path
      return read()
    }
    Object.defineProperty(holder, name, {
      configurable: true,
      enumerable: own.enumerable ?? true,
      get,
      set: (value: unknown) => {
        if (own.set) own.set.call(holder, value)
        else read = () => value
      },
    })
    this.#undo.push(() => {
      // Deleted, or replaced by somebody else: that is what it is now.
      if (Object.getOwnPropertyDescriptor(holder, name)?.get !== get) return
      const value = own.get ? undefined : read()
      Object.defineProperty(holder, name, own.get ? own : { ...own, value })
    })
  }
}
