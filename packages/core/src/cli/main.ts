import { InvalidOptionError, isStepladderError } from '../errors.ts'
import { cpuProfile, heapSnapshot } from './capture.ts'
import { flagOf } from './cluster-flags.ts'
import type { CliSurroundings, Command } from './command.ts'
import { help, helpFlag, helpOf } from './help.ts'
import { reload } from './reload.ts'
import { run } from './run.ts'
import { status } from './status.ts'
import { stop } from './stop.ts'
import { UsageError } from './usage-error.ts'
import { tellApart } from './words.ts'

const commands: readonly Command[] = [run, reload, status, stop, heapSnapshot, cpuProfile]

/** The command `stepladder`; resolves with its exit code. */
export async function main(argv: readonly string[], surroundings: CliSurroundings): Promise<number> {
  try {
    await perform(argv, surroundings)
    return 0
  } catch (failure) {
    if (!(failure instanceof Error)) throw failure
    console.error(inWordsOfTheCommandLine(failure))
    return exitCodeOf(failure)
  }
}

async function perform([name, ...words]: readonly string[], surroundings: CliSurroundings): Promise<void> {
  if (name === undefined || name === '--help' || name === '-h') return console.log(help(commands))
  if (name === '--version' || name === '-v') return console.log(surroundings.version)
  const command = commands.find((known) => known.name === name)
  if (!command) {
    const known = commands.map((each) => each.name).join(', ')
    throw new UsageError(`there is no command "${name}"; the commands are ${known}: stepladder run FILE`)
  }
  const { flags, optionsFirst = false } = command
  const all = [...flags, helpFlag]
  const owner = `stepladder ${name}`
  const told = tellApart(owner, words, all, { optionsFirst })
  if (told.given.has('help')) return console.log(helpOf(command))
  await command.run(told, surroundings)
}

/** The option `maxMemory` of code is `--max-memory` to whoever wrote a command line. */
function inWordsOfTheCommandLine(failure: Error): string {
  const message =
    failure instanceof InvalidOptionError
      ? failure.message.replace(`option "${failure.option}"`, `option --${flagOf(failure.option)}`)
      : failure.message
  return message.startsWith('stepladder ') ? message : `stepladder: ${message}`
}

function exitCodeOf(failure: Error): number {
  if (!isStepladderError(failure)) return 1
  if (failure.code === 'NO_CLUSTER') return 3
  return ['WRONG_USAGE', 'INVALID_OPTION', 'UNKNOWN_OPTION'].includes(failure.code) ? 2 : 1
}
