import type { ClusterStatus, WorkerStatus } from '../control/control-protocol.ts'
import { chooseSupervisor, pidFlag } from './choose-supervisor.ts'
import type { Command } from './command.ts'
import { noOperands } from './operands.ts'

/** Shows the workers of a running cluster. */
export const status: Command = {
  name: 'status',
  operands: '',
  summary: 'shows the workers of a running cluster',
  details: 'A generation is the start, or one reload.',
  flags: [pidFlag, { name: 'json', says: 'prints all of it as JSON, times in milliseconds, sizes in bytes' }],
  async run(words) {
    noOperands('stepladder status', words)
    const { status } = await chooseSupervisor(words)
    console.log(words.given.has('json') ? JSON.stringify(status, null, 2) : display(status))
  },
}

function display({ pid, file, cwd, ageMs, generation, workers }: ClusterStatus): string {
  const headings = ['instance', 'pid', 'state', 'age', 'memory', 'restarts', 'generation']
  return [
    `supervisor ${pid} runs ${file} in ${cwd}, for ${displayAge(ageMs)}, generation ${generation}`,
    ...table([headings, ...workers.map(rowOf)]),
  ].join('\n')
}

function rowOf({ instance, pid, state, ageMs, rssBytes, restarts, generation }: WorkerStatus): string[] {
  return [
    String(instance),
    String(pid ?? '-'),
    state,
    displayAge(ageMs),
    rssBytes === undefined ? '-' : `${Math.round(rssBytes / 1024 ** 2)} MB`,
    String(restarts),
    String(generation),
  ]
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
}

function displayAge(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}
