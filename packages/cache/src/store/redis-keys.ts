/** Short, since it is sent with every key; with the version of what stands in Redis. */
const prefix = 'slc2:'

/**
 * The names of one cache in Redis. A record and its lease share a hash tag, so that one script may touch both on a
 * cluster; kinds differ in their first letters, so that Redis can tell us of records and tags alone.
 */
export class RedisKeys {
  readonly #records: string
  readonly #leases: string
  readonly #tags: string
  readonly #channel: string

  constructor(name: string) {
    this.#records = `${prefix}r:{${name}:`
    this.#leases = `${prefix}l:{${name}:`
    this.#tags = `${prefix}t:{${name}:`
    this.#channel = `${prefix}b:{${name}}`
  }

  record(key: string): string {
    return `${this.#records}${key}}`
  }

  lease(key: string): string {
    return `${this.#leases}${key}}`
  }

  tag(tag: string): string {
    return `${this.#tags}${tag}}`
  }

  /** Where invalidations are told. Redis knows no prefix of a client here. */
  channel(keyPrefix: string): string {
    return keyPrefix + this.#channel
  }

  /** What the names of all records, and of all tags, begin with, as Redis knows them. */
  prefixes(keyPrefix: string): readonly [records: string, tags: string] {
    return [keyPrefix + this.#records, keyPrefix + this.#tags]
  }

  /** Whose names these are, as Redis knows them. */
  read(names: readonly Buffer[], keyPrefix: string): { readonly keys: string[]; readonly tags: string[] } {
    const [records, tags] = this.prefixes(keyPrefix)
    const found = { keys: [] as string[], tags: [] as string[] }
    for (const bytes of names) {
      const name = bytes.toString()
      if (name.startsWith(records)) found.keys.push(name.slice(records.length, -1))
      else if (name.startsWith(tags)) found.tags.push(name.slice(tags.length, -1))
    }
    return found
  }
}
