/** With a smaller table, too many of the keys overwrite each other. */
const slotsPerKey = 2

/**
 * Which keys a queue has lost, and how long ago, counted in keys that it has lost since. What it remembers are
 * hashes, in a table that overwrites itself: bounded, without a key in memory, and now and then forgetful.
 */
export class Ghosts {
  #hashes: Uint32Array = new Uint32Array(0)
  #lostAt: Uint32Array = new Uint32Array(0)
  #lost = 0

  /** Notes a loss, in a table with room for so many keys. */
  remember(hash: number, keys: number): void {
    if (this.#hashes.length * 2 < keys * slotsPerKey) this.#renew(keys * slotsPerKey)
    const slot = hash & (this.#hashes.length - 1)
    this.#hashes[slot] = hash
    this.#lostAt[slot] = this.#lost++
  }

  /** How many the queue has lost since it lost this one, 0 for the last; `Infinity` if it is not known. Forgets it. */
  take(hash: number): number {
    const slot = hash & (this.#hashes.length - 1)
    if (this.#hashes[slot] !== hash) return Number.POSITIVE_INFINITY
    this.#hashes[slot] = 0
    return (this.#lost - 1 - this.#lostAt[slot]!) >>> 0 // both wrap around at 32 bits
  }

  clear(): void {
    this.#hashes = this.#lostAt = new Uint32Array(0)
  }

  /** What it remembered is lost; that costs a few hits, and is seldom: the table doubles at least. */
  #renew(slots: number): void {
    const length = 2 ** Math.ceil(Math.log2(slots))
    this.#hashes = new Uint32Array(length)
    this.#lostAt = new Uint32Array(length)
  }
}

/** 32 bits, never 0: FNV-1a, mixed at its end as MurmurHash3 does it, so that the low bits depend on all. */
export function hashOf(key: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0 || 1
}
