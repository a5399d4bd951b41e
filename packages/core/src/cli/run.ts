import cluster from 'node:cluster'
import { checkClusterOptions } from '../cluster/cluster-options.ts'
import { type SuperviseOptions, supervise } from '../cluster/supervise.ts'
import { supervisorVariable } from '../cluster/worker-process.ts'
import { takeSystemdSettings } from '../health/systemd.ts'
import { clusterFlags, readClusterFlags } from './cluster-flags.ts'
import type { Command } from './command.ts'
import { findProgram } from './program.ts'
import { UsageError } from './usage-error.ts'
import { watchCode } from './watch.ts'
import type { Flag } from './words.ts'

const watchFlag: Flag = {
  name: 'watch',
  says: 'for development: reloads when code below this folder changes, node_modules left out',
}

/** Runs a server in one worker per core. */
export const run: Command = {
  name: 'run',
  operands: 'FILE [arguments of FILE]',
  summary: 'runs an unchanged Node.js server in one worker per CPU core',
  details:
    'It replaces workers that die, and loses no\nrequest when it stops (SIGTERM, SIGINT) or rolls over to a new ' +
    'build (SIGHUP).',
  flags: [...clusterFlags, watchFlag],
  optionsFirst: true,
  async run(words, { preload }) {
    const [file, ...args] = words.operands
    if (file === undefined) throw new UsageError('which file? stepladder run FILE')
    const program = { exec: findProgram(file), args, execArgv: [...process.execArgv, '--require', preload] }
    const settings = checkClusterOptions('stepladder run', readClusterFlags(words))
    adviseAgainstNesting(settings.log)
    const development = words.given.has('watch') ? inDevelopment(settings.log) : {}
    const systemd = takeSystemdSettings(process.env)
    await supervise({ ...settings, ...program, ...development, systemd })
  },
}

/** Nobody is kept waiting who looks at the change in a browser, and a broken build is soon mended. */
function inDevelopment(log: (line: string) => void): Partial<SuperviseOptions> {
  return {
    settleMs: 0,
    waitsForReload: true,
    reloadOn: (reload) =>
      watchCode(process.cwd(), { log, onChange: (changed) => reload(`${changed} has changed`) }),
  }
}

/** A cluster in a worker of a cluster is rarely meant: each of the workers would start one. */
function adviseAgainstNesting(log: (line: string) => void): void {
  if (cluster.isWorker) {
    throw new UsageError(
      'this is a worker of a cluster already: let that one run your server, not this command',
    )
  }
  const outer = process.env[supervisorVariable]
  if (outer !== undefined) {
    log(`started by a worker of the supervisor ${outer}: each of its workers starts a cluster of its own`)
  }
}
