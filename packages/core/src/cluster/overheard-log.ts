/** A log that others can listen to for a while. */
export class OverheardLog {
  readonly #log: (line: string) => void
  readonly #listeners = new Set<(line: string) => void>()

  constructor(log: (line: string) => void) {
    this.#log = log
  }

  /** Says the line to whoever listens. */
  readonly say = (line: string): void => {
    this.#log(line)
    for (const hear of this.#listeners) hear(line)
  }

  /** Until the returned function is called, `hear` hears each line too. */
  readonly overhear = (hear: (line: string) => void): (() => void) => {
    this.#listeners.add(hear)
    return () => void this.#listeners.delete(hear)
  }
}
