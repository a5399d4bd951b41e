import { connect } from 'node:net'
import { type ControlAddress, controlAddresses } from '../control/control-address.ts'
import { ControlUnavailableError } from '../control/control-errors.ts'
import {
  type ClusterStatus,
  type ControlFailure,
  type ControlRequest,
  fromLine,
  longestAnswer,
  toLine,
} from '../control/control-protocol.ts'
import { StepladderError } from '../errors.ts'
import { onLines } from '../link/lines.ts'

/** Thrown when what a running cluster was asked to do did not succeed there; the message is the cluster's own. */
class ControlFailedError extends StepladderError {
  readonly code = 'CONTROL_FAILED'

  constructor({ message, code }: ControlFailure) {
    super(message, { cause: code })
  }
}

export interface AskOptions {
  /** Hears how it goes on. */
  readonly say?: (line: string) => void
  /** How long the supervisor may stay silent, in milliseconds. Default: for ever, as long as it lives. */
  readonly silentMs?: number
}

/** Asks a supervisor; resolves with its result, rejects with `ControlFailedError` or `ControlUnavailableError`. */
export function ask(
  { path, pid }: ControlAddress,
  request: ControlRequest,
  { say = () => {}, silentMs = 0 }: AskOptions = {},
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const giveUp = (reason: string, cause?: unknown) =>
    reject(new ControlUnavailableError(`The supervisor ${pid} ${reason}`, { cause }))
  const socket = connect(path, () => socket.write(toLine(request)))
  socket.setTimeout(silentMs, () => giveUp('does not answer: it hangs, or is stopped'))
  socket.on('error', (failure) => giveUp(`cannot be reached: ${failure.message}`, failure))
  socket.on('close', () => giveUp('ended before it had answered'))
  onLines(socket, {
    longest: longestAnswer,
    tooLong: () => giveUp('answers without an end'),
    hear: (line) => {
      try {
        const { progress, failure, result } = fromLine(line)
        if (progress !== undefined) return say(String(progress))
        // A failure is written by the supervisor's own `describe`.
        if (failure !== undefined) reject(new ControlFailedError(failure as ControlFailure))
        else resolve(result)
      } catch (cause) {
        giveUp(`cannot be understood: ${cause instanceof Error ? cause.message : cause}`, cause)
      }
    },
  })
  return promise.finally(() => socket.destroy())
}

/** A supervisor that runs: where to ask it, and what it said of itself. */
export interface Found extends ControlAddress {
  /** Undefined where it does not answer. */
  readonly status: ClusterStatus | undefined
}

/** How long a supervisor may take to tell who it is, in milliseconds. */
const statusWithinMs = 5_000

/** All supervisors of this user that run. */
export async function findSupervisors(): Promise<Found[]> {
  const found = await Promise.all(
    controlAddresses().map(async (address): Promise<Found | undefined> => {
      try {
        const status = await ask(address, { command: 'status' }, { silentMs: statusWithinMs })
        // The supervisor's own `ClusterStatus`, of this version of the protocol.
        return { ...address, status: status as ClusterStatus }
      } catch (failure) {
        return isGone(failure) ? undefined : { ...address, status: undefined }
      }
    }),
  )
  return found.filter((each) => each !== undefined)
}

/** The socket of a supervisor that was killed is still there. */
function isGone(failure: unknown): boolean {
  if (!(failure instanceof ControlUnavailableError) || !(failure.cause instanceof Error)) return false
  const { cause } = failure
  return 'code' in cause && (cause.code === 'ECONNREFUSED' || cause.code === 'ENOENT')
}
