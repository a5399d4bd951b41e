import type { ClusterOptions } from '../cluster/cluster-options.ts'
import type { Flag, Words } from './words.ts'

/** The options that are no word of a command line. */
type OptionsOfCodeOnly = 'log'

/**
 * Each option of a cluster as a flag of `stepladder run`: `maxMemory` is `--max-memory`. What a word may be is
 * checked where options from code are, by `checkClusterOptions`, with the same messages.
 */
const texts: { readonly [option in Exclude<keyof ClusterOptions, OptionsOfCodeOnly>]-?: Omit<Flag, 'name'> } =
  {
    workers: {
      value: 'N|auto|max-1',
      says: 'how many workers; default: auto, one per core or as the CPU quota allows;\nmax-1: one fewer',
    },
    start: {
      value: 'DURATION',
      says: 'how long a worker may take until it listens and is ready; default: 30s',
    },
    drain: {
      value: 'DURATION',
      says: 'how long a worker may take to finish what it began; default: 10s',
    },
    balance: {
      value: 'HOW',
      says: 'of dispatch: least-connections (default), or ip-hash:\nalways the same worker for a client',
    },
    shutdownDelay: {
      value: 'DURATION',
      says: 'how long it goes on accepting after SIGTERM, while /readyz says 503\nalready; default: 0s',
    },
    healthPort: {
      value: '[HOST:]PORT',
      says: 'answers /livez and /readyz for the whole fleet there; default: nowhere',
    },
    hang: {
      value: 'DURATION|off',
      says: 'a worker whose event loop stands still for so long is replaced;\ndefault: 1.5s',
    },
    maxMemory: {
      value: 'SIZE',
      says: 'a worker that holds so much memory, such as 512mb, is replaced;\ndefault: no limit',
    },
    maxAge: {
      value: 'DURATION',
      says: 'a worker that is so old, such as 12h, is replaced; default: no limit',
    },
    maxRequests: {
      value: 'N',
      says: 'a worker that has had so many requests is replaced; default: no limit',
    },
    distribution: {
      value: 'KIND',
      says:
        'shared (default): workers accept from one socket;\ndispatch: each connection is handed to one worker;\n' +
        'reuseport: each worker has a socket of its own',
    },
  }

const options = Object.keys(texts) as (keyof typeof texts)[] // its keys are what its type says

export const clusterFlags: readonly Flag[] = options.map((option) => ({
  name: flagOf(option),
  ...texts[option],
}))

/** What was given on the command line, as `runCluster` takes it; not yet checked. */
export function readClusterFlags({ given }: Words): ClusterOptions {
  const read = options.flatMap((option) => {
    const word = given.get(flagOf(option))
    return word === undefined ? [] : [[option, numberOrWord(word)] as const]
  })
  // Checked next, as what comes from code is, which may be as wrong.
  return Object.fromEntries(read) as ClusterOptions
}

/** The flag of an option: `--max-memory` for `maxMemory`. */
export function flagOf(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function numberOrWord(word: string | true): number | string | true {
  return word === true || word.trim() === '' || Number.isNaN(Number(word)) ? word : Number(word)
}
