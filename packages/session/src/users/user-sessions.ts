import type { SessionMeta } from '../record/session-record.ts'
import type { SessionsParts } from '../sessions-parts.ts'
import { endSession, endSessions } from './end-session.ts'
import { handleOf } from './handle.ts'
import { inGroups } from './in-groups.ts'
import { lookAt } from './look-at.ts'
import type { Users } from './users.ts'

/** A session as its user may see it. Times are milliseconds since the epoch. */
export interface ListedSession {
  /** Names it in `revoke`. May stand in a page: nobody can make a cookie of it. */
  readonly handle: string
  readonly createdAt: number
  /** To the time between two touches. */
  readonly lastSeenAt: number
  /** Where it was seen last, and on what browser: with the option `device`. */
  readonly ip: string | undefined
  readonly userAgent: string | undefined
  /** It is the one that `list` was given. */
  readonly isCurrent: boolean
}

/** More often nobody begins sessions than an end of all of them takes. */
const mostRounds = 20

/** The sessions of one user, for a page that shows them, for an admin, and for a change of password. */
export class UserSessions {
  readonly #parts: SessionsParts
  readonly #users: Users
  readonly #user: string
  readonly #keyOf: (session: object) => string | undefined

  /** Apps call `sessions.of(user)`. `keyOf` tells under which key a session of this request is kept, if it is. */
  constructor(
    parts: SessionsParts,
    users: Users,
    user: string,
    keyOf: (session: object) => string | undefined,
  ) {
    this.#parts = parts
    this.#users = users
    this.#user = user
    this.#keyOf = keyOf
  }

  /** Those that are alive, the one that was seen last at the head; `current` is marked among them. */
  async list(current?: object | undefined): Promise<readonly ListedSession[]> {
    const found = await this.#find()
    const currentKeys = await this.#keysOf(current)
    return found
      .map(({ key, meta }) => ({
        handle: handleOf(this.#parts.settings, key, meta),
        createdAt: meta.created,
        lastSeenAt: meta.seen,
        ip: meta.ip,
        userAgent: meta.agent,
        isCurrent: isOneOf(currentKeys, key, meta),
      }))
      .sort((a, b) => b.lastSeenAt - a.lastSeenAt)
  }

  /** Ends one. False: this user has none of that name, or it has ended already. */
  async revoke(handle: string): Promise<boolean> {
    const user = this.#user
    const keys = await this.#users.list(user)
    const key =
      keys.find((key) => handleOf(this.#parts.settings, key) === handle) ??
      (await this.#find()).find(({ key, meta }) => handleOf(this.#parts.settings, key, meta) === handle)?.key
    if (key === undefined) return false
    return (await endSession(this.#parts, { key, user }, 'revoked')) !== undefined
  }

  /** Ends every session that was begun before, on all devices; resolves to how many there were. */
  revokeAll(): Promise<number> {
    return this.#revoke(() => this.#users.list(this.#user))
  }

  /** Ends all but this one: after a change of password, say. Resolves to how many there were. */
  async revokeOthers(current: object): Promise<number> {
    return this.#revoke(async () => {
      const found = await this.#find()
      const currentKeys = await this.#keysOf(current)
      return found.filter(({ key, meta }) => !isOneOf(currentKeys, key, meta)).map(({ key }) => key)
    })
  }

  /** Again until none is left: a session whose id is being replaced is listed anew before its old id ends. */
  async #revoke(rest: () => Promise<readonly string[]>): Promise<number> {
    let ended = 0
    for (let round = 0; round < mostRounds; round++) {
      const keys = await rest()
      if (keys.length === 0) return ended
      ended += await endSessions(this.#parts, this.#user, keys, 'revoked')
    }
    return ended
  }

  /** Another request of the session may have given it a new id by now. */
  async #keysOf(session: object | undefined): Promise<readonly string[]> {
    const key = session && this.#keyOf(session)
    if (key === undefined) return []
    const found = await this.#parts.records.read(key, true)
    return found ? [key, found.key] : [key]
  }

  async #find(): Promise<{ readonly key: string; readonly meta: SessionMeta }[]> {
    const keys = await this.#users.list(this.#user)
    const metas = await inGroups(keys, (key) => lookAt(this.#parts.records, key))
    await this.#users.leave(
      this.#user,
      keys.filter((_, place) => metas[place] === 'gone'),
    )
    return keys.flatMap((key, place) => {
      const meta = metas[place]
      return typeof meta === 'object' ? [{ key, meta }] : []
    })
  }
}

/** Or it is being given a new id just now: then it is listed under both. */
function isOneOf(keys: readonly string[], key: string, { from }: SessionMeta): boolean {
  return keys.includes(key) || (from !== undefined && keys.includes(from))
}
