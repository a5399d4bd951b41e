import { parseArgs } from 'node:util'
import { DemoError } from './demo-error.ts'
import { type Rung, rungs } from './rung.ts'

export const usage = `Usage: npm run demo -- [options]

Climbs the ladder with the airline: puts the same load on every rung and prints what each one changed.

  --real         on Redis and Postgres, found or fetched; else on REDIS_URL and DATABASE_URL
                 where they are set, and on embedded engines where they are not
  --full         200,000 flights in place of 20,000
  --rungs LIST   only these, such as 0,3; default: all
  --seconds N    how long each rung is measured; default: 6
  --rate N       visits per second; default: three times what the monolith answers in a trial
  --json FILE    also writes the figures as JSON
  --diff         prints what each rung changes in the airline's code, and ends
  --help

Writes demo-report.html. Exit codes: 0 every promise held, 1 one was broken or something failed, 2 wrong usage.`

export interface DemoOptions {
  readonly real: boolean
  readonly full: boolean
  readonly rungs: readonly Rung[]
  readonly measuredMs: number
  /** Visits per second; undefined: to be found out. */
  readonly rate: number | undefined
  readonly json: string | undefined
  readonly action: 'climb' | 'diff' | 'help'
}

/** Thrown for a wrong command line. */
export class UsageError extends DemoError {}

export function parseOptions(argv: readonly string[]): DemoOptions {
  const { values } = parse(argv)
  return {
    real: values.real,
    full: values.full,
    rungs: chosenRungs(values.rungs),
    measuredMs: milliseconds(values.seconds),
    rate: values.rate === undefined ? undefined : visitsPerSecond(values.rate),
    json: values.json,
    action: values.help ? 'help' : values.diff ? 'diff' : 'climb',
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        real: { type: 'boolean', default: false },
        full: { type: 'boolean', default: false },
        rungs: { type: 'string', default: rungs.map(({ number }) => number).join(',') },
        seconds: { type: 'string', default: '6' },
        rate: { type: 'string' },
        json: { type: 'string' },
        diff: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

function chosenRungs(list: string): readonly Rung[] {
  const chosen = list.split(',').map((text) => {
    const rung = rungs.find(({ number }) => String(number) === text.trim())
    if (!rung)
      throw new UsageError(`--rungs takes numbers from 0 to ${rungs.length - 1}, such as 0,3; not "${text}"`)
    return rung
  })
  return [...new Set(chosen)].sort((a, b) => a.number - b.number)
}

function milliseconds(seconds: string): number {
  const ms = Number(seconds) * 1_000
  if (ms >= 500 && ms <= 60_000) return ms
  throw new UsageError(`--seconds takes a number from 0.5 to 60, not "${seconds}"`)
}

function visitsPerSecond(text: string): number {
  const rate = Number(text)
  if (rate >= 1 && rate <= 100_000) return rate
  throw new UsageError(`--rate takes a number from 1 to 100000, not "${text}"`)
}
