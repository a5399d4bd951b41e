/** Puts a value at its place between two ends, so that equal ratios are equally far apart. */
export class LogScale {
  /** The powers of ten on the scale. */
  readonly ticks: readonly number[]
  readonly #low: number
  readonly #high: number
  readonly #from: number
  readonly #to: number

  /** Reaches from the power of ten below the values to a little above them. */
  constructor(values: readonly number[], from: number, to: number) {
    const positive = values.filter((value) => value > 0 && Number.isFinite(value))
    const low = Math.floor(Math.log10(Math.min(...positive, 10)))
    const high = Math.max(low + 1, Math.log10(1.15 * Math.max(...positive, 1)))
    this.ticks = Array.from({ length: Math.floor(high) - low + 1 }, (_, index) => 10 ** (low + index))
    this.#low = low
    this.#high = high
    this.#from = from
    this.#to = to
  }

  at(value: number): number {
    const place = Math.max(Math.log10(value), this.#low)
    return this.#from + ((place - this.#low) / (this.#high - this.#low)) * (this.#to - this.#from)
  }
}
