import { randomBytes } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { basename, join } from 'node:path'
import { ControlUnavailableError } from './control-errors.ts'

/** Where the supervisors of this user can be spoken to: Unix sockets in a private folder, or named pipes. */
export interface ControlAddress {
  readonly path: string
  readonly pid: number
}

/** The longest path of a Unix socket that all systems know, in bytes; a longer one would be cut off. */
const longestPath = 103
/** Two supervisors in two containers may have one pid and one folder. */
const uniqueBytes = 4

/** An address for the supervisor that this process is. Throws `ControlUnavailableError` with the reasons. */
export function newControlAddress(bases: readonly string[] = folderBases()): string {
  const name = `${process.pid}-${randomBytes(uniqueBytes).toString('hex')}`
  if (process.platform === 'win32') return `${pipeFolder}${pipeName()}${name}`
  const reasons: string[] = []
  for (const base of bases) {
    const folder = folderBelow(base)
    const path = join(folder, `${name}.sock`)
    const reason = Buffer.byteLength(path) > longestPath ? 'is too long a path' : whyUnusable(folder, true)
    if (reason === undefined) return path
    reasons.push(`${folder} ${reason}`)
  }
  throw new ControlUnavailableError(`There is no place for a control socket: ${reasons.join('; ')}`)
}

/** A folder that only this user can write to; undefined where there is none. */
export function privateFolder(): string | undefined {
  if (process.platform === 'win32') return undefined
  return folderBases()
    .map(folderBelow)
    .find((folder) => whyUnusable(folder, true) === undefined)
}

/** Every address that a supervisor of this user has opened, those of dead ones included. */
export function controlAddresses(bases: readonly string[] = folderBases()): ControlAddress[] {
  const paths = process.platform === 'win32' ? pipes() : sockets(bases)
  return paths.flatMap((path) => {
    const pid = Number.parseInt(basename(path).replace(pipeName(), ''), 10)
    return pid > 0 ? [{ path, pid }] : []
  })
}

/** The system's folder for temporary files, and another for where that one cannot be used. */
export function folderBases(): string[] {
  return [...new Set([tmpdir(), '/tmp'])]
}

function folderBelow(base: string): string {
  return join(base, `stepladder-${uid()}`)
}

/** Those in the first folder that can be used: a supervisor takes the first as well. */
function sockets(bases: readonly string[]): string[] {
  const folder = bases.map(folderBelow).find((each) => whyUnusable(each, false) === undefined)
  if (folder === undefined) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sock'))
    .map((name) => join(folder, name))
}

/** Only a folder that is ours alone: what another user could have put there is not to be trusted. */
function whyUnusable(folder: string, mayMake: boolean): string | undefined {
  try {
    if (mayMake) makeFolder(folder)
    const { uid: owner, mode } = lstatSync(folder)
    if ((mode & 0o170_000) !== 0o040_000) return 'is no folder'
    if (owner !== uid()) return 'belongs to another user'
    if ((mode & 0o077) !== 0) return 'is open to other users (chmod 700 closes it)'
    return undefined
  } catch (failure) {
    return failure instanceof Error ? failure.message : String(failure)
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (failure) {
    if (!(failure instanceof Error && 'code' in failure && failure.code === 'EEXIST')) throw failure
  }
}

/** Not `userInfo()`, which throws for a user without a name, as containers have them. */
function uid(): number | undefined {
  return process.getuid?.()
}

const pipeFolder = '\\\\.\\pipe\\'

/** On Windows, which has names in place of numbers. */
function pipeName(): string {
  return process.platform === 'win32' ? `stepladder-${userInfo().username}-` : ''
}

function pipes(): string[] {
  return readdirSync(pipeFolder)
    .filter((name) => name.startsWith(pipeName()))
    .map((name) => `${pipeFolder}${name}`)
}
