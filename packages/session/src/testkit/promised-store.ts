/** Any store of express-session, whatever its types, and whichever copy of express-session made it. */
export interface ExpressSessionStore {
  get(...args: never[]): unknown
  set(...args: never[]): unknown
  destroy(...args: never[]): unknown
}

/** A session as a store hands it out, or is given it. */
export interface StoredSession {
  cookie: { expires?: Date | string | null; originalMaxAge?: number | null }
  [field: string]: unknown
}

type Callback = (error?: unknown, value?: unknown) => void

/** What express-session calls. */
interface CalledStore {
  get(id: string, callback: Callback): unknown
  set(id: string, session: StoredSession, callback: Callback): unknown
  destroy(id: string, callback: Callback): unknown
  touch?(id: string, session: StoredSession, callback: Callback): unknown
  all?(callback: Callback): unknown
  length?(callback: Callback): unknown
  clear?(callback: Callback): unknown
}

const patienceMs = 5_000

/** The store that is tested, called back as express-session has itself called back. */
export class PromisedStore {
  readonly #store: CalledStore

  constructor(store: ExpressSessionStore) {
    // The contract says how express-session calls; each store has types of its own for it.
    this.#store = store as unknown as CalledStore
  }

  async get(id: string): Promise<StoredSession | undefined> {
    const session = await answerOf('get', (callback) => this.#store.get(id, callback))
    // What it is, the promises look at.
    return (session ?? undefined) as StoredSession | undefined
  }

  async set(id: string, session: StoredSession): Promise<void> {
    await answerOf('set', (callback) => this.#store.set(id, session, callback))
  }

  async destroy(id: string): Promise<void> {
    await answerOf('destroy', (callback) => this.#store.destroy(id, callback))
  }

  /** Does nothing where the store cannot: express-session does not call it then. */
  async touch(id: string, session: StoredSession): Promise<void> {
    await answerOf('touch', (callback) =>
      this.#store.touch ? this.#store.touch(id, session, callback) : callback(),
    )
  }

  /** How many sessions `all` tells of, in whichever of its two forms; undefined where there is no `all`. */
  async countAll(): Promise<number | undefined> {
    if (!this.#store.all) return undefined
    const all = await answerOf('all', (callback) => this.#store.all?.(callback))
    return Array.isArray(all) ? all.length : Object.keys(all ?? {}).length
  }

  async length(): Promise<unknown> {
    if (!this.#store.length) return undefined
    return answerOf('length', (callback) => this.#store.length?.(callback))
  }

  /** False where the store cannot. */
  async clear(): Promise<boolean> {
    if (!this.#store.clear) return false
    await answerOf('clear', (callback) => this.#store.clear?.(callback))
    return true
  }
}

/** The store neither called back nor kept silent in peace: express-session would leave the request without an answer. */
export class NotCalledBackError extends Error {}

/** What the callback is told. Some stores return a promise as well, which may reject without the callback. */
function answerOf(method: string, call: (callback: Callback) => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const instead = (what: string, cause?: unknown) =>
      reject(new NotCalledBackError(`${method} ${what} instead of calling back`, { cause }))
    const timer = setTimeout(() => instead(`was silent for ${patienceMs} ms`), patienceMs)
    const callback: Callback = (error, value) => {
      clearTimeout(timer)
      if (error) reject(error)
      else resolve(value)
    }
    try {
      Promise.resolve(call(callback)).catch((cause: unknown) => instead('rejected', cause))
    } catch (cause) {
      instead('threw', cause)
    }
  })
}
