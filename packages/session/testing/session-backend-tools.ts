import { checkOptionNames, InvalidOptionError } from '@stepladder/core'
import type { SessionBackend } from '../src/backend.ts'
import type { BreakablePlace, TestFunction } from '../src/testkit/test-options.ts'

/**
 * Makes a backend whose records are those of `prefix`, which is letters and digits. Backends of one prefix share their
 * records, as two processes do; no other sees them, and at first there are none. The contract closes each once.
 */
export type MakeSessionBackend = (prefix: string) => SessionBackend | Promise<SessionBackend>

/** Where backends keep their records, as something that can be broken and mended. */
export interface BreakableBackendPlace extends BreakablePlace {
  /** Resets each connection that is open, at both ends; new ones are accepted. */
  readonly cut?: (() => unknown) | undefined
}

export interface SessionBackendTools {
  /** The `test` of the runner in use: vitest, Jest and node:test all fit. Its `skip` is told what is left out. */
  readonly test: TestFunction
  /** How many records are raced for, in each way that there is. Default 50. */
  readonly races?: number | undefined
  /** Another one plays other races. Default 1. */
  readonly seed?: number | undefined
  /** The place of all backends that are made. Without it, outages are left out. */
  readonly place?: BreakableBackendPlace | undefined
  /** How long a call may take while the place is away, in milliseconds, where the backend `endsInTime`. Default 250. */
  readonly answerWithinMs?: number | undefined
  /** How long a backend may need until it works again, in milliseconds, when the place is back. Default 10,000. */
  readonly recoverWithinMs?: number | undefined
  /** Puts under an id what is no record, where a place can hold such a thing. Calls for it may fail, and no others. */
  readonly spoil?: ((prefix: string, id: string) => unknown) | undefined
  /**
   * Makes backends that change what is followed: on the same records, by a way that `place` leaves alone when it breaks.
   * So more is found out. Only `testChangeFeed` uses it. Default: what all are made by.
   */
  readonly elsewhere?: MakeSessionBackend | undefined
  /** The fence of `testChangeFeed`, in milliseconds. Default 300. */
  readonly fenceMs?: number | undefined
}

/** The tools that a promise may look at, complete. */
export interface ContractSettings {
  readonly races: number
  readonly seed: number
  readonly place: BreakableBackendPlace
  readonly answerWithinMs: number
  readonly recoverWithinMs: number
  readonly spoil: (prefix: string, id: string) => unknown
  readonly fenceMs: number
}

const toolNames = [
  ...['test', 'races', 'seed', 'place', 'answerWithinMs', 'recoverWithinMs'],
  ...['spoil', 'elsewhere', 'fenceMs'],
]

/** Throws `InvalidOptionError` or `UnknownOptionError`, naming the option and its value. */
export function readTools(owner: string, tools: SessionBackendTools): ContractSettings {
  checkOptionNames(owner, tools, toolNames)
  const { races = 50, seed = 1, answerWithinMs = 250, recoverWithinMs = 10_000, fenceMs = 300 } = tools
  const { place = {}, spoil = () => {} } = tools
  const numbers = { races, seed, answerWithinMs, recoverWithinMs, fenceMs }
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isInteger(value) || value < 1)
      throw new InvalidOptionError(owner, name, value, 'a whole number of at least 1')
  }
  if (tools.place && !isBreakable(place)) {
    throw new InvalidOptionError(
      owner,
      'place',
      place,
      '`cut`, `freeze` and `thaw`, or `stop` and `start`, or several of them',
    )
  }
  return { ...numbers, place, spoil }
}

function isBreakable({ freeze, thaw, stop, start, cut }: BreakableBackendPlace): boolean {
  return Boolean((freeze && thaw) || (stop && start) || cut)
}
