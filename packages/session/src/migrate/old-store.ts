import { InvalidOptionError } from '@stepladder/core'

/**
 * Where sessions were kept before: any store of express-session, and `sessionStore()` too. Only these two methods are
 * called, and each is given a callback.
 */
export interface OldStore {
  get(id: string, callback: (error: unknown, session?: object | null) => void): unknown
  destroy(id: string, callback: (error?: unknown) => void): unknown
}

/** Throws `InvalidOptionError`. */
export function readOldStore(owner: string, store: OldStore | undefined): OldStore | undefined {
  if (store === undefined) return undefined
  // Callers in JavaScript pass what they have: a client, or the class of a store.
  const { get, destroy }: Partial<OldStore> = store ?? {}
  if (typeof get === 'function' && typeof destroy === 'function') return store
  throw new InvalidOptionError(owner, 'migrateFrom', store, 'a store with `get` and `destroy`')
}

/** A session of the store's, as a promise: nothing where it has none. */
export async function sessionIn(store: OldStore, id: string): Promise<object | null | undefined> {
  try {
    return await asked<object | null>((done) => store.get(id, done))
  } catch (failure) {
    if (isNoFile(failure)) return undefined
    throw failure
  }
}

/** So stores in files say that they have none, and express-session takes it for that. A socket that is missing is an outage. */
function isNoFile(failure: unknown): boolean {
  const { code, syscall }: Partial<NodeJS.ErrnoException> = failure ?? {}
  return code === 'ENOENT' && syscall !== 'connect'
}

/** What the store calls back with, as a promise. */
export function asked<T>(
  ask: (callback: (error: unknown, value?: T) => void) => unknown,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const returned = ask((error, value) => (error ? reject(error) : resolve(value)))
    // An async store rejects too.
    if (returned instanceof Promise) returned.catch(reject)
  })
}
