/** Puts a value at its place between two ends, so that equal ratios are equally far apart. */
export class LogScale {
  /** The powers of ten that enclose all values. */
  readonly ticks: readonly number[]
  readonly #from: number
  readonly #to: number

  constructor(values: readonly number[], from: number, to: number) {
    const positive = values.filter((value) => value > 0 && Number.isFinite(value))
    const low = Math.floor(Math.log10(Math.min(...positive, 10)))
    const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...positive, 10))))
    this.ticks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index))
    this.#from = from
    this.#to = to
  }

  at(value: number): number {
    const [low, high] = [Math.log10(this.ticks[0]!), Math.log10(this.ticks.at(-1)!)]
    const share = (Math.log10(Math.max(value, this.ticks[0]!)) - low) / (high - low)
    return this.#from + share * (this.#to - this.#from)
  }
}
