import { parseArgs } from 'node:util'
import { checkOptionNames } from '../options.ts'
import { UsageError } from './usage-error.ts'

/** One option of a command, as its help shows it. */
export interface Flag {
  /** Without its dashes: `max-memory`. */
  readonly name: string
  /** One letter that means the same. */
  readonly short?: string | undefined
  /** What stands for its value in the help: `DURATION`. Without one it is a switch. */
  readonly value?: string | undefined
  /** What it does and what holds without it; one line of help for each line of this. */
  readonly says: string
}

/** The words of a command line, told apart. */
export interface Words {
  /** What was given, by the flag's name; a switch is `true`. */
  readonly given: ReadonlyMap<string, string | true>
  /** What stands after the options, untouched. */
  readonly operands: readonly string[]
}

/**
 * Tells a command's options from its operands. With `optionsFirst`, everything from the first operand on is an
 * operand, whatever it looks like: it belongs to a program that the command runs.
 */
export function tellApart(
  owner: string,
  words: readonly string[],
  flags: readonly Flag[],
  { optionsFirst = false }: { readonly optionsFirst?: boolean } = {},
): Words {
  const { tokens } = parseArgs({
    args: [...words],
    strict: false,
    tokens: true,
    options: Object.fromEntries(flags.map((flag) => [flag.name, parseConfigOf(flag)])),
  })
  const operands = tokens.filter((token) => token.kind === 'positional')
  const end = optionsFirst ? (operands[0]?.index ?? words.length) : words.length
  const given = new Map<string, string | true>()
  for (const token of tokens) {
    if (token.kind !== 'option' || token.index >= end) continue
    given.set(token.name, checkedValue(owner, token, flags))
  }
  return { given, operands: optionsFirst ? words.slice(end) : operands.map(({ value }) => value) }
}

function parseConfigOf({ value, short }: Flag) {
  return { type: value ? ('string' as const) : ('boolean' as const), ...(short ? { short } : {}) }
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value?: string | undefined
}

function checkedValue(
  owner: string,
  { name, rawName, value }: OptionToken,
  flags: readonly Flag[],
): string | true {
  checkOptionNames(
    owner,
    { [rawName]: value },
    flags.flatMap((flag) => [`--${flag.name}`, `-${flag.short ?? flag.name}`]),
  )
  const placeholder = flags.find((flag) => flag.name === name)?.value
  if (placeholder !== undefined && value === undefined) {
    throw new UsageError(`${owner}: --${name} needs a value: --${name} ${placeholder}`)
  }
  if (placeholder === undefined && value !== undefined) {
    throw new UsageError(`${owner}: --${name} is a switch and takes no value, but was given "${value}"`)
  }
  return value ?? true
}
