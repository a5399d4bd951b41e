import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { checkClusterOptions } from '../cluster/cluster-options.ts'
import { supervise } from '../cluster/supervise.ts'
import { clusterFlags, readClusterFlags } from './cluster-flags.ts'
import type { Command } from './command.ts'
import { UsageError } from './usage-error.ts'

/** Runs a server in one worker per core. */
export const run: Command = {
  name: 'run',
  operands: 'FILE [arguments of FILE]',
  summary: 'runs an unchanged Node.js server in one worker per CPU core',
  details:
    'It replaces workers that die, and loses no\nrequest when it stops (SIGTERM, SIGINT) or rolls over to a new ' +
    'build (SIGHUP).',
  flags: clusterFlags,
  optionsFirst: true,
  async run(words, { preload }) {
    const [file, ...args] = words.operands
    if (file === undefined) throw new UsageError('which file? stepladder run FILE')
    await supervise({
      ...checkClusterOptions('stepladder run', readClusterFlags(words)),
      exec: findFile(file),
      args,
      execArgv: [...process.execArgv, '--import', preload],
    })
  },
}

/** As Node finds it: the extension may be missing, and a folder stands for its index file. */
function findFile(file: string): string {
  try {
    return createRequire(join(process.cwd(), 'here')).resolve(resolve(file))
  } catch (cause) {
    throw new UsageError(`there is no file "${file}"`, { cause })
  }
}
