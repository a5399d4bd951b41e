import type { Command } from './command.ts'
import type { Flag } from './words.ts'

const exitCodes = `Exit codes: 0 done, or stopped as told; 1 it failed: the workers cannot be kept alive, a new build did not
come up; 2 wrong usage; 3 no running cluster was found.`

/** Every command has it. */
export const helpFlag: Flag = { name: 'help', short: 'h', says: 'prints this' }

/** What `stepladder --help` prints. */
export function help(commands: readonly Command[]): string {
  const lines = commands.map(
    ({ name, operands, summary }) => [`${name} ${operands}`.trim(), summary] as const,
  )
  return [
    'Usage: stepladder COMMAND [options] ...',
    '',
    ...columns(lines),
    '',
    'stepladder COMMAND --help lists the options of a command; stepladder --version tells the version.',
    '',
    exitCodes,
  ].join('\n')
}

/** What `stepladder COMMAND --help` prints. */
export function helpOf({ name, operands, summary, details, flags }: Command): string {
  return [
    `Usage: stepladder ${name} [options] ${operands}`.trimEnd(),
    '',
    `${summary[0]?.toUpperCase()}${summary.slice(1)}. ${details}`,
    '',
    ...columns([...flags, helpFlag].map(flagLine)),
    '',
    exitCodes,
  ].join('\n')
}

function flagLine({ name, value, says }: Flag): readonly [string, string] {
  return [value === undefined ? `--${name}` : `--${name} ${value}`, says]
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => {
    const indented = right.replaceAll('\n', `\n${' '.repeat(width + 4)}`)
    return `  ${left.padEnd(width)}  ${indented}`
  })
}
