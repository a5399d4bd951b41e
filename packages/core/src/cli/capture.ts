import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CaptureRequest } from '../control/control-protocol.ts'
import { InvalidOptionError } from '../errors.ts'
import { chooseSupervisor, pidFlag } from './choose-supervisor.ts'
import type { Command } from './command.ts'
import { ask } from './control-client.ts'
import { UsageError } from './usage-error.ts'
import type { Flag, Words } from './words.ts'

const outFlag: Flag = {
  name: 'out',
  value: 'FILE',
  says: 'where to; a file that exists is left alone. Default: a name with pid and time, in this folder',
}

/** Writes down what is in a worker's memory. */
export const heapSnapshot: Command = {
  name: 'heap-snapshot',
  operands: '[INSTANCE]',
  summary: "writes down what is in a worker's memory, for the developer tools of Chrome",
  details:
    'INSTANCE is the number of\nthe worker, 0 without it. The worker answers nobody while it writes, and takes several times its memory.\n' +
    'The file holds whatever the app held: passwords too. Only its user may read it.',
  flags: [outFlag, pidFlag],
  run: (words) =>
    capture('stepladder heap-snapshot', words, 'heapsnapshot', (at) => ({ command: 'heap-snapshot', ...at })),
}

/** Writes down what a worker spends its time on. */
export const cpuProfile: Command = {
  name: 'cpu-profile',
  operands: '[INSTANCE]',
  summary: 'writes down what a worker spends its time on, for the developer tools of Chrome',
  details: 'INSTANCE is the number\nof the worker, 0 without it. The worker goes on serving.',
  flags: [{ name: 'seconds', value: 'N', says: 'how long; default: 5' }, outFlag, pidFlag],
  run: (words) => {
    const given = words.given.get('seconds') ?? '5'
    const seconds = Number(given)
    if (!(seconds > 0 && seconds <= longestProfile)) {
      const expected = `a number of seconds above 0, up to ${longestProfile}`
      throw new InvalidOptionError('stepladder cpu-profile', 'seconds', given, expected)
    }
    return capture('stepladder cpu-profile', words, 'cpuprofile', (at) => ({
      command: 'cpu-profile',
      seconds,
      ...at,
    }))
  },
}

/** A profile grows with its time, and is held in the worker's memory until it is written. Seconds. */
const longestProfile = 600

interface Place {
  readonly instance: number
  readonly file: string
}

async function capture(
  owner: string,
  words: Words,
  ending: string,
  request: (at: Place) => CaptureRequest,
): Promise<void> {
  const instance = instanceOf(owner, words)
  const out = words.given.get('out')
  if (out !== undefined && existsSync(String(out))) {
    throw new UsageError(`${owner}: "${out}" exists already; give another --out`)
  }
  const supervisor = await chooseSupervisor(words)
  const worker = supervisor.status.workers.find((each) => each.instance === instance)
  if (!worker) {
    const known = supervisor.status.workers.map((each) => each.instance).join(', ')
    throw new UsageError(`${owner}: there is no worker ${instance}; there are ${known}`)
  }
  const file = resolve(out === undefined ? `${worker.pid}-${timestamp()}.${ending}` : String(out))
  await ask(supervisor, request({ instance, file }), { say: console.log })
  console.log(file)
}

function instanceOf(owner: string, { operands }: Words): number {
  const [word = '0', ...rest] = operands
  if (rest.length > 0 || !/^\d+$/.test(word)) {
    throw new UsageError(`${owner}: which worker? "${operands.join(' ')}" is not its number`)
  }
  return Number(word)
}

/** Sorts as time does, and any file system takes it: 20261122-085743. */
function timestamp(): string {
  return new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
}
