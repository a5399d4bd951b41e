/** What the store is asked at most in one call. */
const mostKeys = 128

/** Asks for all of it at once, and answers in the order in which it is asked. */
type Run<Asked, Answer> = (asked: readonly Asked[]) => Promise<readonly Answer[]>

/** What was asked within one turn of the event loop. */
export class Batch<Asked, Answer> {
  readonly asked: Asked[] = []
  /** In the order of what was asked. */
  readonly answers: Promise<readonly Answer[]>

  constructor(run: Run<Asked, Answer>, close: (batch: Batch<Asked, Answer>) => void) {
    this.answers = new Promise((resolve) => {
      // After the microtasks of this turn, which may have more to ask.
      process.nextTick(() => {
        close(this)
        resolve(run(this.asked))
      })
    })
  }
}

/** Collects what is asked within one turn of the event loop, and asks for all of it at once. */
export class Batches<Asked, Answer> {
  readonly #run: Run<Asked, Answer>
  readonly #mostAtOnce: number
  readonly #close = (batch: Batch<Asked, Answer>): void => {
    if (this.#open === batch) this.#open = undefined
  }
  #open: Batch<Asked, Answer> | undefined

  constructor(run: Run<Asked, Answer>, mostAtOnce: number = mostKeys) {
    this.#run = run
    this.#mostAtOnce = mostAtOnce
  }

  async ask(asked: Asked): Promise<Answer> {
    const batch = this.add(asked)
    const place = batch.asked.length - 1
    return (await batch.answers)[place]!
  }

  /** Into the last place of a batch. Who waits for its answers and takes the one there needs no promise of his own. */
  add(asked: Asked): Batch<Asked, Answer> {
    let batch = this.#open
    if (batch === undefined || batch.asked.length === this.#mostAtOnce) {
      batch = new Batch(this.#run, this.#close)
      this.#open = batch
    }
    batch.asked.push(asked)
    return batch
  }
}
