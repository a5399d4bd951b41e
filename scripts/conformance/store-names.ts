/** What can stand in for the MemoryStore: our store on each of its places, a peer, and the MemoryStore itself. */
export type StoreName = (typeof names)[number]

const names = ['memory', 'redis', 'sqlite', 'postgres', 'connect-redis', 'MemoryStore'] as const

export function isStoreName(name: string): name is StoreName {
  return names.some((known) => known === name)
}
