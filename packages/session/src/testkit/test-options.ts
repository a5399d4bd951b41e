import { checkOptionNames, InvalidOptionError } from '@stepladder/core'

/** The kit's promises by what they are about. */
export type PromiseGroup = 'contract' | 'time' | 'concurrency' | 'resurrection' | 'failures' | 'outage'

/** Where the store keeps its sessions, as something that can be broken and mended. Give a pair, or both. */
export interface BreakablePlace {
  /** Stops it without its knowing: connections stay open and nothing is answered, as with SIGSTOP. */
  readonly freeze?: (() => unknown) | undefined
  readonly thaw?: (() => unknown) | undefined
  /** Ends it, as with SIGKILL; `start` brings it back at the same address, with all that it had stored. */
  readonly stop?: (() => unknown) | undefined
  readonly start?: (() => unknown) | undefined
}

export interface SessionStoreTestOptions<Store> {
  /** The `test` of the runner in use: vitest, Jest and node:test all fit. Its `skip` is told what is left out. */
  readonly test: TestFunction
  /** Groups of promises that this store does not make. They are reported as skipped, by their titles. */
  readonly without?: readonly PromiseGroup[] | undefined
  /** How many requests at once change one session. Default 200. */
  readonly requests?: number | undefined
  /** How many sessions end while others save and touch them, in each way that there is. Default 100. */
  readonly races?: number | undefined
  /** Another one plays other races. Default 1. */
  readonly seed?: number | undefined
  /** The place where the stores of `makeStore` keep their sessions. Without it `outage` is left out. */
  readonly place?: BreakablePlace | undefined
  /** How long an answer may take while the place is away, in milliseconds. Default 250. */
  readonly answerWithinMs?: number | undefined
  /** Lets go of a store after its test. Default: its `close()`, where it has one. */
  readonly close?: ((store: Store) => unknown) | undefined
}

/** As the runners have it: the time in milliseconds comes last, where they take one. */
export interface TestFunction {
  (title: string, run: () => Promise<void>, timeoutMs?: number): unknown
  skip?(title: string, run: () => Promise<void>): unknown
}

/** The options that a promise may look at, complete. */
export interface TestSettings {
  readonly requests: number
  readonly races: number
  readonly seed: number
  readonly place: BreakablePlace
  readonly answerWithinMs: number
}

const owner = 'testSessionStore'
const optionNames = ['test', 'without', 'requests', 'races', 'seed', 'place', 'answerWithinMs', 'close']
export const groupNames: readonly PromiseGroup[] = [
  ...(['contract', 'time', 'concurrency', 'resurrection', 'failures', 'outage'] as const),
]

/** Throws `InvalidOptionError` or `UnknownOptionError`, naming the option and its value. */
export function readTestOptions(options: SessionStoreTestOptions<never>): TestSettings {
  checkOptionNames(owner, options, optionNames)
  const { without = [], requests = 200, races = 100, seed = 1, place = {}, answerWithinMs = 250 } = options
  for (const name of without) {
    if (!groupNames.includes(name)) {
      throw new InvalidOptionError(owner, 'without', name, `some of ${groupNames.join(', ')}`)
    }
  }
  for (const [name, value] of Object.entries({ requests, races, seed, answerWithinMs })) {
    if (!Number.isInteger(value) || value < 1)
      throw new InvalidOptionError(owner, name, value, 'a whole number of at least 1')
  }
  if (options.place && !isBreakable(place)) {
    throw new InvalidOptionError(
      owner,
      'place',
      place,
      '`freeze` and `thaw`, or `stop` and `start`, or all four',
    )
  }
  return { requests, races, seed, place, answerWithinMs }
}

function isBreakable({ freeze, thaw, stop, start }: BreakablePlace): boolean {
  return Boolean((freeze && thaw) || (stop && start))
}
