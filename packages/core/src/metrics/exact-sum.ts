/**
 * A sum of numbers that loses nothing to rounding, kept as parts whose exact sum it is: Shewchuk, Adaptive
 * Precision Floating-Point Arithmetic (1997), as in Python's `math.fsum`. Plain sums of the same numbers in
 * another order differ in their last digit, and a counter that falls by it is taken for one that began anew.
 */
export class ExactSum {
  /** The smallest first; at least one. */
  #parts: number[] = [0]

  get parts(): readonly number[] {
    return this.#parts
  }

  add(value: number): void {
    const parts: number[] = []
    let carried = value
    for (const part of this.#parts) {
      const [big, small] = Math.abs(carried) < Math.abs(part) ? [part, carried] : [carried, part]
      const sum = big + small
      // What rounding took from the sum; nothing of the kind is known of what is not finite.
      const rest = Number.isFinite(sum) ? small - (sum - big) : 0
      if (rest !== 0) parts.push(rest)
      carried = sum
    }
    this.#parts = [...parts, carried]
  }

  /** The number nearest to the sum, so that of two sums the greater never gives the lesser number. */
  rounded(): number {
    const parts = [...this.#parts]
    let sum = parts.pop()!
    let rest = 0
    while (parts.length > 0 && rest === 0) {
      const part = parts.pop()!
      const before = sum
      sum = before + part
      rest = part - (sum - before)
    }
    // Halfway between two numbers, what is left decides.
    const next = parts.at(-1) ?? 0
    if (Math.sign(rest) * Math.sign(next) <= 0) return sum
    const nudged = sum + rest * 2
    return nudged - sum === rest * 2 ? nudged : sum
  }
}
