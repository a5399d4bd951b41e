import { Fifo, Slot } from './fifo.ts'
import { Ghosts, hashOf } from './ghosts.ts'

/** What newcomers may take of the memory, as a share of what is in it: at the start, at least and at most. */
const [startShare, minShare, maxShare] = [0.1, 0.01, 0.8]

/** How much that share moves each time it turns out to be wrong. */
const shareStep = 0.005

/** How long a lost key is remembered, and until when its loss was a near miss: in losses, as a share of all entries. */
const [newcomersReach, residentsReach, nearReach] = [1, 0.5, 0.1]

/** So many used entries in a row are spared, then one goes all the same: whoever sets an entry never waits long. */
const maxSpared = 100

/**
 * Entries in the memory of this process, bounded by number and by size. What goes is decided as in S3-FIFO, with
 * a small queue that finds its size by itself:
 *
 *     set ──▶ newcomers ──used──▶ residents ◀──┐
 *                 │                 │   └─used─┘
 *               unused            unused
 *                 └──▶   lost   ◀───┘      set while it is remembered there, a key is a resident at once
 *
 * Keys that nobody asks for twice never get past the newcomers, so a scan pushes out little else. A newcomer that
 * is asked for just after it was lost says that newcomers have too little room; a resident, that they have too much.
 */
export class Entries<T extends { readonly size: number }> {
  readonly #maxEntries: number
  readonly #maxBytes: number
  #slots: Map<string, Slot<T>> = new Map()
  #newcomers: Fifo<T> = new Fifo()
  #residents: Fifo<T> = new Fifo()
  #newcomersShare = startShare
  readonly #lostNewcomers: Ghosts = new Ghosts()
  readonly #lostResidents: Ghosts = new Ghosts()

  constructor(maxEntries: number, maxBytes: number) {
    this.#maxEntries = maxEntries
    this.#maxBytes = maxBytes
  }

  get count(): number {
    return this.#slots.size
  }

  /** Of the records and their keys. */
  get bytes(): number {
    return this.#newcomers.bytes + this.#residents.bytes
  }

  /** Moves nothing, reads no clock: a lookup and a mark. */
  get(key: string): T | undefined {
    const slot = this.#slots.get(key)
    if (slot === undefined) return undefined
    slot.wasUsed = true
    return slot.entry
  }

  /** What is larger than the whole memory is not kept, and neither is what it should have replaced. */
  set(key: string, entry: T): void {
    const bytes = entry.size + key.length
    const known = this.#slots.get(key)
    if (known && this.bytes - known.bytes + bytes <= this.#maxBytes) {
      known.queue.replace(known, entry, bytes)
      return
    }
    if (known) this.#drop(known)
    if (bytes > this.#maxBytes) return
    this.#makeRoom(bytes) // before it is in a queue, so that it never makes room for itself
    const slot = new Slot(key, entry, bytes, known?.queue ?? this.#queueFor(key))
    slot.wasUsed = known?.wasUsed ?? false
    slot.queue.add(slot)
    this.#slots.set(key, slot)
  }

  delete(key: string): void {
    const slot = this.#slots.get(key)
    if (slot) this.#drop(slot)
  }

  /** At once, however many there are. */
  clear(): void {
    this.#slots = new Map()
    this.#newcomers = new Fifo()
    this.#residents = new Fifo()
    this.#newcomersShare = startShare
    this.#lostNewcomers.clear()
    this.#lostResidents.clear()
  }

  #makeRoom(bytes: number): void {
    let spared = 0
    for (let queue = this.#overfull(bytes); queue; queue = this.#overfull(bytes)) {
      spared = this.#pass(queue, spared < maxSpared) ? 0 : spared + 1
    }
  }

  /** The queue to take from, or undefined if there is room for one more of that size. */
  #overfull(bytes: number): Fifo<T> | undefined {
    const newcomers = this.#newcomers
    let share: number // in the measure that is short
    if (this.count >= this.#maxEntries) share = newcomers.count / this.count
    else if (this.bytes + bytes > this.#maxBytes) share = newcomers.bytes / this.bytes
    else return undefined
    return share >= this.#newcomersShare ? newcomers : this.#residents
  }

  /** Takes the oldest of a queue to the residents if it was used, else out. True if it went. */
  #pass(queue: Fifo<T>, maySpare: boolean): boolean {
    const slot = queue.oldest! // a queue with a share of something is not empty
    if (slot.wasUsed && maySpare) {
      queue.remove(slot)
      slot.wasUsed = false
      this.#residents.add(slot)
      return false
    }
    this.#drop(slot)
    if (queue === this.#newcomers) this.#lostNewcomers.remember(hashOf(slot.key), this.count * newcomersReach)
    else this.#lostResidents.remember(hashOf(slot.key), this.count * residentsReach)
    return true
  }

  #drop(slot: Slot<T>): void {
    this.#slots.delete(slot.key)
    slot.queue.remove(slot)
    // Tables that a Map has outgrown point to those that follow, with all that was in them: one that got old keeps it.
    slot.entry = undefined
  }

  #queueFor(key: string): Fifo<T> {
    const hash = hashOf(key)
    // How many losses ago, as a share of what is here.
    const asNewcomer = this.#lostNewcomers.take(hash) / this.count
    const asResident = this.#lostResidents.take(hash) / this.count
    if (asNewcomer < nearReach) this.#newcomersShare = Math.min(maxShare, this.#newcomersShare + shareStep)
    else if (asResident < nearReach)
      this.#newcomersShare = Math.max(minShare, this.#newcomersShare - shareStep)
    return asNewcomer < newcomersReach || asResident < residentsReach ? this.#residents : this.#newcomers
  }
}
