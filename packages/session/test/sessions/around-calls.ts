import type { ExpiryIndex, SessionBackend, UserIndex } from '@stepladder/session'

/** Makes a call, or does not; `name` is the method's, with `users.` or `expiries.` in front for those of an index. */
export type Around = <T>(name: string, call: () => Promise<T>) => Promise<T>

/** A place for sessions, and for its indexes, with something around each call. */
export function aroundCalls(place: SessionBackend, around: Around): SessionBackend {
  const { users, expiries } = place
  return {
    get: (id) => around('get', () => place.get(id)),
    put: (id, text, ttlMs) => around('put', () => place.put(id, text, ttlMs)),
    putNew: (id, text, ttlMs) => around('putNew', () => place.putNew(id, text, ttlMs)),
    replace: (id, expected, text, ttlMs) => around('replace', () => place.replace(id, expected, text, ttlMs)),
    touch: (id, ttlMs) => around('touch', () => place.touch(id, ttlMs)),
    destroy: (id) => around('destroy', () => place.destroy(id)),
    all: () => around('all', () => place.all()),
    length: () => around('length', () => place.length()),
    clear: () => around('clear', () => place.clear()),
    close: () => place.close(),
    users: users && aroundUsers(users, around),
    expiries: expiries && aroundExpiries(expiries, around),
  }
}

function aroundUsers(users: UserIndex, around: Around): UserIndex {
  return {
    admit: (user, key, ttlMs, room) => around('users.admit', () => users.admit(user, key, ttlMs, room)),
    renew: (user, key, ttlMs) => around('users.renew', () => users.renew(user, key, ttlMs)),
    remove: (user, keys) => around('users.remove', () => users.remove(user, keys)),
    list: (user) => around('users.list', () => users.list(user)),
    users: () => around('users.users', () => users.users()),
  }
}

function aroundExpiries(expiries: ExpiryIndex, around: Around): ExpiryIndex {
  return {
    note: (key, about, ttlMs) => around('expiries.note', () => expiries.note(key, about, ttlMs)),
    forget: (key) => around('expiries.forget', () => expiries.forget(key)),
    takeExpired: (most) => around('expiries.takeExpired', () => expiries.takeExpired(most)),
  }
}

/** As soon as so many calls were made, the process is dead to the place: nothing it asks is done any more. */
export function dyingAfter(calls: number): Around & { readonly made: number } {
  let made = 0
  const around: Around = async (_name, call) => {
    if (made >= calls) throw new Error('the process is dead')
    made += 1
    return call()
  }
  return Object.defineProperty(around, 'made', { get: () => made }) as Around & { readonly made: number }
}

/** Looks at the list first, and adds to it a moment later, as most do who limit sessions. */
export function checkThenAct(place: SessionBackend): SessionBackend {
  const users = place.users!
  const whole = aroundCalls(place, (_name, call) => call())
  return {
    ...whole,
    users: {
      ...whole.users!,
      async admit(user, key, ttlMs, { most }) {
        const listed = await users.list(user)
        await new Promise((resolve) => setTimeout(resolve, 5))
        await users.renew(user, key, ttlMs)
        return { isAdmitted: true, over: listed.slice(0, Math.max(0, listed.length + 1 - most)) }
      },
    },
  }
}
