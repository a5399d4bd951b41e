import { isAbsolute } from 'node:path'

/**
 * What the commands say to a running supervisor, over its control socket:
 *
 *   one line asks      {"stepladder":1,"command":"reload"}
 *   lines answer       {"stepladder":1,"progress":"worker 12 takes the place of 11"}, any number of them
 *   the last of them   {"stepladder":1,"result":...}  or  {"stepladder":1,"failure":{"code":...,"message":...}}
 */
const controlVersion = 1

/** No request is longer, in characters. */
export const longestRequest: number = 64 * 1024
/** No answer is longer, in characters. */
export const longestAnswer: number = 4 * 1024 * 1024

export type ControlRequest =
  | { readonly command: 'status' }
  | { readonly command: 'reload' }
  | { readonly command: 'stop' }
  | CaptureRequest

/** A worker is to write down what is in its memory, or what it does for so many seconds. */
export type CaptureRequest =
  | { readonly command: 'heap-snapshot'; readonly instance: number; readonly file: string }
  | {
      readonly command: 'cpu-profile'
      readonly instance: number
      readonly file: string
      readonly seconds: number
    }

export type ControlAnswer =
  | { readonly progress: string }
  | { readonly result: unknown }
  | { readonly failure: ControlFailure }

export interface ControlFailure {
  readonly code: string
  readonly message: string
}

/** What `stepladder status --json` prints. */
export interface ClusterStatus {
  readonly pid: number
  /** The folder that it was started in. */
  readonly cwd: string
  /** What the workers run. */
  readonly file: string
  /** How long it has been running, in milliseconds. */
  readonly ageMs: number
  /** 1 at the start, and one more with each reload that was begun. */
  readonly generation: number
  readonly workers: readonly WorkerStatus[]
}

export interface WorkerStatus {
  readonly instance: number
  /** Undefined while it could not be started. */
  readonly pid?: number | undefined
  readonly state: string
  readonly ageMs: number
  /** The memory that it occupies, in bytes, where the system tells. */
  readonly rssBytes?: number | undefined
  /** How many workers in this place were replaced because they died. */
  readonly restarts: number
  /** The reload that brought it. */
  readonly generation: number
}

/** A line as it goes over the wire. */
export function toLine(message: ControlRequest | ControlAnswer): string {
  return `${JSON.stringify({ stepladder: controlVersion, ...message })}\n`
}

/** What a line says; throws where it is no JSON of this version. */
export function fromLine(line: string): Readonly<Record<string, unknown>> {
  const message: unknown = JSON.parse(line)
  if (typeof message !== 'object' || message === null || !('stepladder' in message)) {
    throw new TypeError('that is no line of the control protocol')
  }
  if (message.stepladder !== controlVersion) {
    throw new TypeError(
      `version ${String(message.stepladder)} is asked, and version ${controlVersion} spoken`,
    )
  }
  // An object has keys; what they hold is for the reader to check.
  return message as unknown as Readonly<Record<string, unknown>>
}

/** The request that a line makes; throws with the reason where it makes none. */
export function readRequest(line: string): ControlRequest {
  const { command, instance, file, seconds } = fromLine(line)
  if (command === 'status' || command === 'reload' || command === 'stop') return { command }
  if (command !== 'heap-snapshot' && command !== 'cpu-profile') {
    throw new TypeError(`there is no command ${JSON.stringify(command)}`)
  }
  if (typeof instance !== 'number') throw new TypeError('which worker? "instance" is a number')
  if (typeof file !== 'string' || !isAbsolute(file))
    throw new TypeError('where to? "file" is an absolute path')
  if (command === 'heap-snapshot') return { command, instance, file }
  if (typeof seconds !== 'number' || !(seconds > 0)) throw new TypeError('how long? "seconds" is above zero')
  return { command, instance, file, seconds }
}
