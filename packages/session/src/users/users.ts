import { SessionLimitError } from '../errors.ts'
import type { Records } from '../records.ts'
import { inGroups } from './in-groups.ts'
import { lookAt } from './look-at.ts'
import { readUser, type UserOf } from './read-user.ts'
import type { Admission, Room, UserIndex } from './user-index.ts'

export interface UsersOptions {
  readonly userOf: UserOf
  readonly room: Room
  /** How much longer an entry lives than a session that is not touched: nothing needs to be listed anew for so long. */
  readonly touchAfterMs: number
}

/** Clocks of several machines differ; an entry that outlives its session does no harm. */
const clocksDifferMs = 60_000
/** No database takes any number of values in one statement. */
const mostAtOnce = 1_000

/**
 * Which sessions are whose. The protocol, which no crash and no race may leave with a living session that is not listed:
 *
 *     begin    record for 10 s ─▶ listed ─▶ those over the limit end ─▶ record for its full time
 *     touch    entry renewed ─▶ record renewed; it is gone: entry removed
 *     end      record destroyed ─▶ entry removed
 */
export class Users {
  readonly #index: UserIndex
  readonly #records: Records
  readonly #options: UsersOptions

  constructor(index: UserIndex, records: Records, options: UsersOptions) {
    this.#index = index
    this.#records = records
    this.#options = options
  }

  /** Whose session these fields are in. Throws `InvalidSessionUserError`, and what the app's `userOf` throws. */
  userOf(fields: object): string | undefined {
    return readUser(this.#options.userOf(fields))
  }

  /**
   * Lists a new session, whose record is there already, and resolves to the keys of those that have to end now.
   * Throws `SessionLimitError`.
   */
  async admit(user: string, key: string, ttlMs: number): Promise<readonly string[]> {
    const { room } = this.#options
    const admit = () =>
      this.#run('user-add', () => this.#index.admit(user, key, this.#entryMs(ttlMs), room), howAdmitted)
    let admission = await admit()
    if (!admission.isAdmitted && (await this.#removeDead(user))) admission = await admit()
    if (!admission.isAdmitted) throw new SessionLimitError(room.most)
    return admission.over
  }

  /** Prolongs an entry; adds it where it is missing, since a list may be lost. To be called before the record is prolonged. */
  renew(user: string, key: string, ttlMs: number): Promise<void> {
    return this.#run(
      'user-renew',
      () => this.#index.renew(user, key, this.#entryMs(ttlMs)),
      () => 'renewed',
    )
  }

  /** Removes entries whose records were destroyed. Never rejects: what stays listed is dead, and found so later. */
  async leave(user: string, keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += mostAtOnce) {
      const some = keys.slice(from, from + mostAtOnce)
      const leave = this.#run(
        'user-remove',
        () => this.#index.remove(user, some),
        () => 'removed',
      )
      await leave.catch(() => {}) // it is reported
    }
  }

  list(user: string): Promise<readonly string[]> {
    return this.#run(
      'user-list',
      () => this.#index.list(user),
      () => 'listed',
    )
  }

  /** Everybody who has a session. */
  all(): Promise<readonly string[]> {
    return this.#records.ofAll('user-all', () => this.#index.users())
  }

  /** A process that was killed may have left entries of sessions that are gone; says whether there were any. */
  async #removeDead(user: string): Promise<boolean> {
    const keys = await this.list(user)
    const metas = await inGroups(keys, (key) => lookAt(this.#records, key))
    const dead = keys.filter((_, place) => metas[place] === 'gone')
    await this.leave(user, dead)
    return dead.length > 0
  }

  #entryMs(ttlMs: number): number {
    return ttlMs + this.#options.touchAfterMs + clocksDifferMs
  }

  #run<T>(operation: string, task: () => Promise<T>, outcomeOf: (value: T) => string): Promise<T> {
    return this.#records.run(operation, task, outcomeOf)
  }
}

const howAdmitted = (admission: Admission) => (admission.isAdmitted ? 'added' : 'full')
