/** An entry and its place in a queue. */
export class Slot<T> {
  readonly key: string
  /** Undefined once it is dropped. */
  entry: T | undefined
  bytes: number
  queue: Fifo<T>
  /** Asked for since it entered its queue, or was spared at the end of it. All that a read writes. */
  wasUsed = false
  older: Slot<T> | undefined
  newer: Slot<T> | undefined

  constructor(key: string, entry: T, bytes: number, queue: Fifo<T>) {
    this.key = key
    this.entry = entry
    this.bytes = bytes
    this.queue = queue
  }
}

/** A queue that knows its length and its size, and that a slot can leave from anywhere. */
export class Fifo<T> {
  count = 0
  bytes = 0
  oldest: Slot<T> | undefined
  #newest: Slot<T> | undefined

  add(slot: Slot<T>): void {
    slot.queue = this
    slot.older = this.#newest
    if (this.#newest) this.#newest.newer = slot
    else this.oldest = slot
    this.#newest = slot
    this.count++
    this.bytes += slot.bytes
  }

  remove(slot: Slot<T>): void {
    const { older, newer } = slot
    if (older) older.newer = newer
    else this.oldest = newer
    if (newer) newer.older = older
    else this.#newest = older
    // A slot that is out must not hold on to those that are in: one old one would keep many from being collected.
    slot.older = undefined
    slot.newer = undefined
    this.count--
    this.bytes -= slot.bytes
  }

  /** Puts another entry into a slot, which keeps its place. */
  replace(slot: Slot<T>, entry: T, bytes: number): void {
    this.bytes += bytes - slot.bytes
    slot.entry = entry
    slot.bytes = bytes
  }
}
