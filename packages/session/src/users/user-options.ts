import { InvalidOptionError } from '@stepladder/core'
import type { SessionHooks } from '../events.ts'
import type { UserOf } from './read-user.ts'
import type { Room } from './user-index.ts'

export interface UserOptions<Data extends object> {
  /**
   * Whose session it is: `(session) => session.userId`, undefined while nobody is logged in. With it, `sessions.of(user)`
   * lists and ends the sessions of a user, and a session whose user changes gets a new id when it is saved.
   */
  readonly userOf?: UserOf<Data> | undefined
  /** How many sessions a user may have at once, however many log in at the same time. Default: any number. */
  readonly maxPerUser?: number | undefined
  /**
   * What a login becomes that would be one too many: `'end-oldest'`, the default: the session that would have ended first,
   * since it rested longest, ends now; `'refuse'`: `SessionLimitError`, status 409.
   */
  readonly onLimit?: 'end-oldest' | 'refuse' | undefined
  /** Keeps the IP address and the browser that a session was seen on last: personal data. Default false. */
  readonly device?: boolean | undefined
  /** Called when sessions begin and end. */
  readonly on?: SessionHooks | undefined
}

export interface UserSettings {
  readonly userOf: UserOf | undefined
  readonly room: Room
  readonly keepsDevice: boolean
  readonly hooks: SessionHooks
}

export const userOptionNames: readonly string[] = ['userOf', 'maxPerUser', 'onLimit', 'device', 'on']

/** Throws `InvalidOptionError`. */
export function readUserOptions(owner: string, options: UserOptions<never>): UserSettings {
  const { userOf, maxPerUser, onLimit = 'end-oldest', device = false, on = {} } = options
  if (userOf !== undefined && typeof userOf !== 'function') {
    throw new InvalidOptionError(owner, 'userOf', userOf, 'a function of the session')
  }
  if (maxPerUser !== undefined && !(Number.isInteger(maxPerUser) && maxPerUser > 0 && userOf)) {
    throw new InvalidOptionError(owner, 'maxPerUser', maxPerUser, 'a whole number above 0, beside `userOf`')
  }
  if (onLimit !== 'end-oldest' && onLimit !== 'refuse') {
    throw new InvalidOptionError(owner, 'onLimit', onLimit, "'end-oldest' or 'refuse'")
  }
  if (typeof device !== 'boolean') throw new InvalidOptionError(owner, 'device', device, 'true or false')
  checkHooks(owner, on)
  return {
    // What it is given are the fields that the app has put into its session.
    userOf: userOf as UserOf | undefined,
    room: {
      most: maxPerUser ?? Number.POSITIVE_INFINITY,
      whenFull: onLimit === 'refuse' ? 'refuse' : 'add',
    },
    keepsDevice: device,
    hooks: on,
  }
}

const hookNames = ['created', 'destroyed', 'expired']

function checkHooks(owner: string, on: SessionHooks): void {
  const hooks = typeof on === 'object' && on !== null ? Object.entries(on) : [['', on]]
  for (const [name, hook] of hooks) {
    if (!hookNames.includes(String(name)) || (hook !== undefined && typeof hook !== 'function')) {
      throw new InvalidOptionError(owner, 'on', on, `functions by name: ${hookNames.join(', ')}`)
    }
  }
}
