import { StepladderError } from '../src/errors.ts'

/** Thrown when a server was asked for and no program for it can be found or fetched. */
export class ServerUnavailableError extends StepladderError {
  readonly code = 'SERVER_UNAVAILABLE'
  /** What to do about it, any one of which is enough. */
  readonly remedies: readonly string[]

  constructor(server: string, remedies: readonly string[], options?: ErrorOptions) {
    super(`There is no ${server} to test with. Any of these helps: ${remedies.join('; ')}`, options)
    this.remedies = remedies
  }
}

/** Thrown when a server, or another program of a test, ended or stayed silent instead of becoming ready. */
export class ServerStartError extends StepladderError {
  readonly code = 'SERVER_START_FAILED'
  /** The last lines that it wrote. */
  readonly log: string

  constructor(server: string, log: string, options?: ErrorOptions) {
    super(`${server} did not become ready. The end of its log:\n${log}`, options)
    this.log = log
  }
}
