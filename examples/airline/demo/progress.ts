/** Tells how far the demo is: a bar on a terminal, and a line for each new thing elsewhere. */
export class Progress {
  readonly #out: NodeJS.WriteStream
  #what = ''
  #drawnAt = 0

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.#out = out
  }

  /** `share` of `what` is done, from 0 to 1. */
  show(what: string, share: number): void {
    const isNew = what !== this.#what
    this.#what = what
    if (!this.#out.isTTY) {
      if (isNew) this.#out.write(`${what} …\n`)
      return
    }
    const now = performance.now()
    // Drawing takes time from the load generator, which runs in this process.
    if (!isNew && now - this.#drawnAt < 100) return
    this.#drawnAt = now
    const done = Math.round(share * barWidth)
    this.#out.write(`\r${clearLine}${'█'.repeat(done)}${'░'.repeat(barWidth - done)} ${what}`)
  }

  /** Takes the bar away; what is printed next begins on a clean line. */
  clear(): void {
    if (this.#out.isTTY && this.#what !== '') this.#out.write(`\r${clearLine}`)
    this.#what = ''
  }
}

const barWidth = 24
const clearLine = '\u001b[2K'
