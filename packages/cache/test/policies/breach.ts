interface Sized {
  readonly size: number
}

interface Memory {
  readonly count: number
  readonly bytes: number
  get(key: string): Sized | undefined
  set(key: string, entry: Sized): void
  delete(key: string): void
  clear(): void
}

export interface Bounds {
  readonly maxEntries: number
  readonly maxBytes: number
}

/**
 * Does what chance says to a memory, and beside it to a map that has no bounds. Returns what it did that it must
 * not: go beyond its bounds, give what was not set last, lose something while there was room. Undefined: nothing.
 */
export function findBreach(memory: Memory, bounds: Bounds, random: () => number): string | undefined {
  const run = new Run(memory, bounds, random)
  for (let turn = 0; turn < 1_000; turn++) {
    const breach = run.turn()
    if (breach) return `turn ${turn}: ${breach}`
  }
  return run.compareAll()
}

class Run {
  readonly #memory: Memory
  readonly #bounds: Bounds
  readonly #random: () => number
  readonly #keys: readonly string[]
  /** What was set last, of all that was not deleted since. */
  readonly #last = new Map<string, Sized>()
  /** Since it was empty, there was more than it can hold. */
  #hasOverflowed = false

  constructor(memory: Memory, bounds: Bounds, random: () => number) {
    this.#memory = memory
    this.#bounds = bounds
    this.#random = random
    const count = 1 + Math.floor(random() * 3 * bounds.maxEntries)
    this.#keys = Array.from({ length: count }, (_, index) => `key ${index}`)
  }

  turn(): string | undefined {
    const key = this.#keys[Math.floor(this.#random() * this.#keys.length)]!
    const choice = this.#random()
    if (choice < 0.4) return this.#get(key)
    if (choice < 0.9) return this.#set(key) ?? this.#checkBounds()
    if (choice < 0.995) return this.#delete(key) ?? this.#checkBounds()
    return this.#clear()
  }

  /** Whether all that it holds is what it says that it holds. */
  compareAll(): string | undefined {
    let [count, bytes] = [0, 0]
    for (const key of this.#keys) {
      const breach = this.#get(key)
      if (breach) return breach
      const entry = this.#memory.get(key)
      if (!entry) continue
      count += 1
      bytes += sizeOf(key, entry)
    }
    const [held, said] = [`${count} of ${bytes}`, told(this.#memory)]
    return held === said ? undefined : `says ${said} bytes and holds ${held}`
  }

  #get(key: string): string | undefined {
    const found = this.#memory.get(key)
    const isRight = found === this.#last.get(key) || (found === undefined && this.#hasOverflowed)
    return isRight ? undefined : `${key} is ${found ? 'not what was set last' : 'lost'}`
  }

  #set(key: string): string | undefined {
    const { maxBytes, maxEntries } = this.#bounds
    // Some are larger than all of memory, most are small.
    const entry = { size: Math.ceil(this.#random() ** 6 * 1.2 * maxBytes) }
    this.#memory.set(key, entry)
    if (sizeOf(key, entry) > maxBytes) {
      this.#last.delete(key)
      return this.#memory.get(key) ? `${key} is larger than memory, and something is there` : undefined
    }
    this.#last.set(key, entry)
    const bytes = [...this.#last].reduce((sum, [each, { size }]) => sum + size + each.length, 0)
    if (this.#last.size > maxEntries || bytes > maxBytes) this.#hasOverflowed = true
    // Not always, since a read is a use.
    return this.#random() < 0.2 && !this.#memory.get(key) ? `${key} went as it came` : undefined
  }

  #delete(key: string): string | undefined {
    this.#memory.delete(key)
    this.#last.delete(key)
    return this.#memory.get(key) ? `${key} is still there` : undefined
  }

  #clear(): string | undefined {
    this.#memory.clear()
    this.#last.clear()
    this.#hasOverflowed = false
    const { count, bytes } = this.#memory
    return count + bytes === 0 ? undefined : `${told(this.#memory)} bytes outlived clear`
  }

  #checkBounds(): string | undefined {
    const { count, bytes } = this.#memory
    const isWithin = count <= this.#bounds.maxEntries && bytes <= this.#bounds.maxBytes
    return isWithin ? undefined : `${told(this.#memory)} bytes are too much`
  }
}

function sizeOf(key: string, { size }: Sized): number {
  return key.length + size
}

function told({ count, bytes }: Memory): string {
  return `${count} of ${bytes}`
}
