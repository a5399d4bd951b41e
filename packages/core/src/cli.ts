import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type ClusterOptions, checkClusterOptions, type Distribution } from './cluster/cluster-options.ts'
import { supervise } from './cluster/supervise.ts'
import type { Duration } from './duration.ts'
import { StepladderError } from './errors.ts'

const usage = `Usage: stepladder run [options] FILE [arguments of FILE]

Runs an unchanged Node.js server in one worker per CPU core, replaces workers that die, and loses no
request when it stops (SIGTERM, SIGINT) or rolls over to a new build (SIGHUP).

  --workers N|auto        how many workers; default: auto, one per core
  --drain DURATION        how long a worker may take to finish what it began; default: 10s
  --distribution KIND     shared (default): workers accept from one socket;
                          round-robin: connections are handed out in turn
  --help, --version

Exit codes: 0 stopped as told, 1 the workers cannot be kept alive, 2 wrong usage.`

export interface CliSurroundings {
  /** What each worker loads before FILE; a URL for Node's --import. */
  readonly preload: string
  readonly version: string
}

/** The command `stepladder`; resolves with its exit code. */
export async function main(argv: readonly string[], { preload, version }: CliSurroundings): Promise<number> {
  try {
    const command = parse(argv)
    if (command.kind === 'help') console.log(usage)
    if (command.kind === 'version') console.log(version)
    if (command.kind === 'run') await run(command, preload)
    return 0
  } catch (failure) {
    if (!(failure instanceof Error)) throw failure
    console.error(`stepladder: ${failure.message}`)
    return isWrongUsage(failure) ? 2 : 1
  }
}

interface RunCommand {
  readonly kind: 'run'
  readonly file: string
  readonly args: readonly string[]
  readonly options: ClusterOptions
}

function parse(argv: readonly string[]): RunCommand | { readonly kind: 'help' | 'version' } {
  const [command, ...words] = argv
  // What follows FILE belongs to FILE, whatever it looks like.
  const fileAt = words.findIndex((word, index) => !word.startsWith('-') && !takesValue(words[index - 1]))
  const { values } = parseArgs({
    args: command === 'run' ? words.slice(0, fileAt === -1 ? undefined : fileAt) : [...argv],
    allowPositionals: command !== 'run',
    options: {
      workers: { type: 'string', default: 'auto' },
      drain: { type: 'string', default: '10s' },
      distribution: { type: 'string', default: 'shared' },
      help: { type: 'boolean', short: 'h', default: false },
      version: { type: 'boolean', short: 'v', default: false },
    },
  })
  if (values.help || argv.length === 0) return { kind: 'help' }
  if (values.version) return { kind: 'version' }
  if (command !== 'run') throw new UsageError(`there is no command "${command}"; it is: stepladder run FILE`)
  if (fileAt === -1) throw new UsageError('which file? stepladder run FILE')
  return {
    kind: 'run',
    file: words[fileAt]!,
    args: words.slice(fileAt + 1),
    // What a word means is checked where options from code are, with the same messages.
    options: {
      workers: values.workers === 'auto' ? 'auto' : Number(values.workers),
      drain: (/^\d+$/.test(values.drain) ? Number(values.drain) : values.drain) as Duration,
      distribution: values.distribution as Distribution,
    },
  }
}

function takesValue(word: string | undefined): boolean {
  return word === '--workers' || word === '--drain' || word === '--distribution'
}

async function run({ file, args, options }: RunCommand, preload: string): Promise<void> {
  await supervise({
    ...checkClusterOptions('stepladder run', options),
    exec: findFile(file),
    args,
    execArgv: [...process.execArgv, '--import', preload],
  })
}

/** As Node finds it: the extension may be missing, and a folder stands for its index file. */
function findFile(file: string): string {
  try {
    return createRequire(join(process.cwd(), 'here')).resolve(resolve(file))
  } catch (cause) {
    throw new UsageError(`there is no file "${file}"`, { cause })
  }
}

class UsageError extends StepladderError {
  readonly code = 'WRONG_USAGE'

  constructor(problem: string, options?: ErrorOptions) {
    super(`${problem} (stepladder --help tells more)`, options)
  }
}

function isWrongUsage(failure: Error): boolean {
  if (!('code' in failure)) return false
  const code = String(failure.code)
  return code === 'WRONG_USAGE' || code === 'INVALID_OPTION' || code.startsWith('ERR_PARSE_ARGS')
}
