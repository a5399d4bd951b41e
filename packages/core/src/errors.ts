const mark = Symbol.for('stepladder.error')

/**
 * The root of every error that Stepladder throws. `code` is stable and meant for programs; the message
 * names the thing and the remedy; `cause` keeps what lay beneath. Recognise one with `isStepladderError`,
 * which works across two installed copies of a package.
 */
export abstract class StepladderError extends Error {
  abstract readonly code: string

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    Object.defineProperty(this, mark, { value: true })
  }

  /** The page that explains this error. */
  get help(): string {
    return `docs/reference/errors.md#${this.code.toLowerCase()}`
  }
}

/** True for an error of any Stepladder package, also when another copy of the package threw it. */
export function isStepladderError(error: unknown): error is StepladderError {
  return error instanceof Error && mark in error
}

/** Thrown at construction when an option cannot be used as given. */
export class InvalidOptionError extends StepladderError {
  readonly code = 'INVALID_OPTION'
  readonly option: string

  constructor(owner: string, option: string, value: unknown, expected: string) {
    super(`${owner}: option "${option}" must be ${expected}, but is ${display(value)}`)
    this.option = option
  }
}

/** Thrown at construction when an option is not known to its owner, most often a slip of the pen. */
export class UnknownOptionError extends StepladderError {
  readonly code = 'UNKNOWN_OPTION'
  readonly option: string

  constructor(owner: string, option: string, nearest: string | undefined) {
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`
    super(`${owner}: there is no option "${option}"${hint}`)
    this.option = option
  }
}

/** Thrown when an optional package is needed and is not installed. */
export class MissingPackageError extends StepladderError {
  readonly code = 'MISSING_PACKAGE'

  constructor(owner: string, packageName: string, options?: ErrorOptions) {
    super(`${owner} needs the package "${packageName}": run "npm install ${packageName}"`, options)
  }
}

/** Thrown when an engine that serves one machine is asked to serve production without being told to. */
export class EmbeddedEngineError extends StepladderError {
  readonly code = 'EMBEDDED_ENGINE'

  constructor(owner: string, remedy: string) {
    super(
      `${owner}: the embedded engine serves one machine and NODE_ENV is "production"; ${remedy}, ` +
        'or say `embedded: true` if one machine is what you mean',
    )
  }
}

function display(value: unknown): string {
  if (typeof value === 'string') return `"${value}"`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}
