import { InvalidSessionUserError } from '../errors.ts'

/** What `userOf` makes of a session's fields; undefined and null: the session is nobody's. */
export type UserOf<Data extends object = object> = (
  fields: Partial<Data>,
) => string | number | null | undefined

const mostCharacters = 256

/** Throws `InvalidSessionUserError` for what names no user in every place where sessions are kept. */
export function readUser(found: unknown): string | undefined {
  if (found === undefined || found === null || found === '') return undefined
  if (typeof found !== 'string' && !Number.isFinite(found)) {
    throw new InvalidSessionUserError(`\`userOf\` returned a value of type ${typeof found}`)
  }
  const user = String(found)
  if (user.length > mostCharacters || user.includes('\0') || !user.isWellFormed()) {
    throw new InvalidSessionUserError('`userOf` returned a text that is too long, or not Unicode')
  }
  return user
}
