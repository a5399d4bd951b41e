import { MemorySessionBackend, type SessionBackend } from '@stepladder/session'
import type { MakeSessionBackend, SessionBackendTools, testSessionBackend } from '@stepladder/session/testing'
import { aroundCalls } from './sessions/around-calls.ts'

export interface BrokenByOptions extends Omit<SessionBackendTools, 'test'> {
  /** Which promises to try: those whose titles contain this. Default: all. */
  readonly only?: string
}

/** Runs a contract as a test runner would, and tells which of its promises such backends break. */
export async function brokenBy(
  contract: typeof testSessionBackend,
  make: MakeSessionBackend,
  { only = '', ...tools }: BrokenByOptions = {},
): Promise<string[]> {
  const checks: [title: string, run: () => Promise<void>][] = []
  const add = (title: string, run: () => Promise<void>) => title.includes(only) && checks.push([title, run])
  contract('faulty', make, { ...tools, test: add })
  // A place breaks for all who are there.
  const ends = tools.place ? await oneByOne(checks) : await Promise.allSettled(checks.map(([, run]) => run()))
  return checks.filter((_, place) => ends[place]?.status === 'rejected').map(([title]) => title)
}

async function oneByOne(
  checks: readonly [string, () => Promise<void>][],
): Promise<PromiseSettledResult<void>[]> {
  const ends: PromiseSettledResult<void>[] = []
  for (const [, run] of checks) ends.push(...(await Promise.allSettled([run()])))
  return ends
}

/** Backends that share the memory of their prefix, each with faults of its own. */
export function faultyMemory(
  faults: (sound: MemorySessionBackend) => Partial<SessionBackend>,
): MakeSessionBackend {
  const places = new Map<string, MemorySessionBackend>()
  return (prefix) => {
    const sound = places.get(prefix) ?? new MemorySessionBackend()
    places.set(prefix, sound)
    return { ...aroundCalls(sound, (_name, call) => call()), ...faults(sound) }
  }
}
