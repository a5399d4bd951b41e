import { userInfo } from 'node:os'
import { basename } from 'node:path'
import { ControlUnavailableError } from '../control/control-errors.ts'
import type { ClusterStatus } from '../control/control-protocol.ts'
import { StepladderError } from '../errors.ts'
import { type Found, findSupervisors } from './control-client.ts'
import { UsageError } from './usage-error.ts'
import type { Flag, Words } from './words.ts'

/** Thrown when no cluster of this user runs that could be meant. */
class NoClusterError extends StepladderError {
  readonly code = 'NO_CLUSTER'
}

/** A supervisor that has said what it is. */
export interface Chosen extends Found {
  readonly status: ClusterStatus
}

export const pidFlag: Flag = {
  name: 'pid',
  value: 'N',
  says: 'which cluster: the pid of its supervisor; default: the only one of this user,\nor the one that was started in this folder',
}

/** The supervisor that is meant, as `pidFlag` says; found among those of this user that run. */
export async function chooseSupervisor({ given }: Words): Promise<Chosen> {
  const word = given.get('pid')
  const pid = word === undefined ? undefined : Number(word)
  if (Number.isNaN(pid)) throw new UsageError(`--pid needs the pid of a supervisor, not "${word}"`)
  const { status, ...address } = choose(await findSupervisors(), { pid, cwd: process.cwd() })
  if (!status)
    throw new ControlUnavailableError(
      `The supervisor ${address.pid} does not answer: it hangs, or is stopped`,
    )
  return { ...address, status }
}

/** Throws `NoClusterError` when there is none, and `UsageError` when several could be meant. */
function choose(
  found: readonly Found[],
  { pid, cwd }: { readonly pid?: number | undefined; readonly cwd: string },
): Found {
  const user = `user ${userName()}`
  if (found.length === 0) {
    throw new NoClusterError(`no cluster of ${user} is running; only the user who runs one can steer it`)
  }
  const meant = pid === undefined ? found : found.filter((each) => each.pid === pid)
  if (meant.length === 1) return meant[0]!
  const here = meant.filter(({ status }) => status?.cwd === cwd)
  if (here.length === 1) return here[0]!
  const list = found.map(display).join('')
  if (meant.length === 0) {
    throw new NoClusterError(`no cluster of ${user} has a supervisor with pid ${pid}; there is:${list}`)
  }
  throw new UsageError(`several clusters of ${user} are running; say --pid N for one of these:${list}\n`)
}

/** Its number where it has no name, as in a container. */
function userName(): string {
  try {
    return `"${userInfo().username}"`
  } catch {
    return String(process.getuid?.())
  }
}

function display({ pid, status }: Found): string {
  return `\n  ${pid}  ${status ? `${basename(status.file)} in ${status.cwd}` : 'does not answer'}`
}
