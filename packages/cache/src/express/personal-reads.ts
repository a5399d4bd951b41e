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
    for (const field of fields) this.#watchField(request, field)
    if (headers.length > 0) this.#watchHeaders(request, new Set(headers))
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

  #see(place: string): void {
    if (!this.#isPaused) this.seen ??= place
  }

  /** Also those that were not sent: what is made for who has no cookie is not for who has one. */
  #watchHeaders(request: CachedRequest, names: ReadonlySet<string | symbol>): void {
    const look = (name: string | symbol) => {
      if (names.has(name)) this.#see(`headers.${String(name)}`)
    }
    const watched = new Proxy(request.headers, {
      get: (headers, name) => {
        look(name)
        return Reflect.get(headers, name)
      },
      has: (headers, name) => {
        look(name)
        return Reflect.has(headers, name)
      },
      // Who copies all of them has each.
      ownKeys: (headers) => {
        this.#see('headers')
        return Reflect.ownKeys(headers)
      },
    })
    const own = Object.getOwnPropertyDescriptor(request, 'headers')
    const enumerable = own?.enumerable ?? false
    Object.defineProperty(request, 'headers', {
      ...{ configurable: true, writable: true, enumerable },
      value: watched,
    })
    this.#undo.push(() => {
      const { headers } = request
      if (own) Object.defineProperty(request, 'headers', own)
      else Reflect.deleteProperty(request, 'headers')
      // Replaced by somebody else: those are the headers now.
      if (headers !== watched) request.headers = headers
    })
  }

  #watchField(holder: object, name: string): void {
    const own = Object.getOwnPropertyDescriptor(holder, name)
    if (!own?.configurable) return
    // Whoever defined a getter of its own expects to be called on the holder.
    let read = () => (own.get ? own.get.call(holder) : own.value)
    const get = () => {
      this.#see(name)
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
