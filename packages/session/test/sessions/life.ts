import type { Session, Sessions } from '@stepladder/session'

export type Fields = Record<string, unknown>

/** What is known of one session, from its beginning to its end, by those who visit it. */
export class Life {
  /** What each visit was told is saved, by path; undefined: removed. Nobody else writes there. */
  readonly acked = new Map<string, number | undefined>()
  /** What was asked for and not acknowledged: it may have been saved all the same. */
  readonly doubted = new Set<string>()
  counted = 0
  tried = 0
  /** Somebody began to end it, and was told that it has ended. */
  isEnding = false
  isEnded = false
  /** The session that went on with its fields. */
  next: Life | undefined
  cookie: string | undefined
}

/** One request of a session. */
export interface Visiting {
  readonly life: Life
  readonly sessions: Sessions<Fields>
  readonly random: () => number
  /** Calls of the store may fail. */
  readonly isFaulty: boolean
}

/** The object of that name, which is made where it is missing. */
export function objectAt(session: Session<Fields>, name: string): object {
  const found = session[name]
  if (typeof found === 'object' && found !== null) return found
  const made = {}
  Object.assign(session, { [name]: made })
  return made
}

/** The number at a path of one or two names. */
export function at(fields: object, path: string): number | undefined {
  const found = path
    .split('.')
    .reduce<unknown>((place, name) => (place as Fields | undefined)?.[name], fields)
  return typeof found === 'number' ? found : undefined
}
