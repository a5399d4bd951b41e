/** One of the workers that could take a connection. */
export interface Candidate {
  readonly instance: number
  /** How many connections it has. */
  readonly connections: number
}

/** The one with the fewest connections; of equals the first. */
export function fewestConnections<C extends Candidate>(candidates: readonly C[]): C | undefined {
  return best(candidates, (a, b) => a.connections < b.connections)
}

/**
 * Always the same one for the same client: the highest random weight (Thaler and Ravishankar, 1998), so that
 * a worker that comes or goes moves only its own share. A successor has its forerunner's instance, and thus
 * its clients; of the two the last is chosen.
 */
export function sameForClient<C extends Candidate>(candidates: readonly C[], client: string): C | undefined {
  const weightOf = ({ instance }: Candidate) => weigh(`${client} ${instance}`)
  return best(candidates, (a, b) => weightOf(a) >= weightOf(b))
}

function best<C>(candidates: readonly C[], isBetter: (a: C, b: C) => boolean): C | undefined {
  return candidates.reduce<C | undefined>(
    (found, next) => (found === undefined || isBetter(next, found) ? next : found),
    undefined,
  )
}

/** 32-bit FNV-1a, and the finalizer of MurmurHash3, without which like texts get like weights. */
function weigh(text: string): number {
  let hash = 0x811c9dc5
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
