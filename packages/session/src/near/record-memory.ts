/** A record as it was read from the store. */
export interface RememberedRecord {
  readonly stored: string
  /** When it was read, by the monotonic clock. */
  readonly readAt: number
  /** Nobody is known to have written it since. */
  readonly isCurrent: boolean
}

/** What a record takes besides its characters: its places in the table, and the objects around it. */
const overheadBytes = 200

/** Records within bounds, of which the one that nobody asked for longest goes first. */
export class RecordMemory {
  readonly #maxEntries: number
  readonly #maxBytes: number
  /** In the order of use. */
  readonly #records = new Map<string, RememberedRecord>()
  #bytes = 0

  constructor(maxEntries: number, maxBytes: number) {
    this.#maxEntries = maxEntries
    this.#maxBytes = maxBytes
  }

  get(id: string): RememberedRecord | undefined {
    const record = this.#records.get(id)
    if (record) {
      this.#records.delete(id)
      this.#records.set(id, record)
    }
    return record
  }

  set(id: string, record: RememberedRecord): void {
    this.delete(id)
    this.#records.set(id, record)
    this.#bytes += bytesOf(id, record)
    this.#makeRoom()
  }

  /** Keeps it as what was seen last. */
  outdate(id: string): void {
    const record = this.#records.get(id)
    if (record?.isCurrent) this.#records.set(id, { ...record, isCurrent: false })
  }

  /** Whether it was there. */
  delete(id: string): boolean {
    const record = this.#records.get(id)
    if (!record) return false
    this.#bytes -= bytesOf(id, record)
    return this.#records.delete(id)
  }

  clear(): void {
    this.#records.clear()
    this.#bytes = 0
  }

  #makeRoom(): void {
    for (const id of this.#records.keys()) {
      if (this.#records.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) return
      this.delete(id)
    }
  }
}

/** At most: many texts take one byte for a character. */
function bytesOf(id: string, { stored }: RememberedRecord): number {
  return 2 * (id.length + stored.length) + overheadBytes
}
