/** What one batch asks for at most, unless said otherwise. */
const mostAtOnce = 128

export interface BatchesOptions {
  /** How much one batch may ask for. Default 128. */
  readonly most?: number | undefined
  /**
   * How long a batch waits for more. `'turn'`, the default: until the microtasks of this turn of the event loop have run.
   * `'poll'`: until the events are handled that have come in already, the requests of other connections among them.
   */
  readonly until?: 'turn' | 'poll' | undefined
}

/** Asks for all of it at once, and answers in the order in which it is asked. */
type Run<Asked, Answer> = (asked: readonly Asked[]) => Promise<readonly Answer[]>

/** What was asked together. */
export class Batch<Asked, Answer> {
  readonly asked: Asked[] = []
  /** In the order of what was asked. */
  readonly answers: Promise<readonly Answer[]>

  constructor(defer: (start: () => void) => void, run: Run<Asked, Answer>) {
    this.answers = new Promise((resolve) => defer(() => resolve(run(this.asked))))
  }
}

/** Collects what is asked about the same time, and asks for all of it at once: a call for each would cost more. */
export class Batches<Asked, Answer> {
  readonly #run: Run<Asked, Answer>
  readonly #most: number
  readonly #defer: (start: () => void) => void
  #open: Batch<Asked, Answer> | undefined

  /** What `run` rejects with, everybody hears whose question was in the batch. */
  constructor(run: Run<Asked, Answer>, { most = mostAtOnce, until = 'turn' }: BatchesOptions = {}) {
    this.#run = run
    this.#most = most
    this.#defer = until === 'turn' ? process.nextTick : setImmediate
  }

  /** Rejects with what the batch fails with. */
  async ask(asked: Asked): Promise<Answer> {
    const batch = this.add(asked)
    const place = batch.asked.length - 1
    // One answer to each question, in their order: so it was promised.
    return (await batch.answers)[place]!
  }

  /** Into the last place of a batch. Who waits for its answers and takes the one there needs no promise of his own. */
  add(asked: Asked): Batch<Asked, Answer> {
    let batch = this.#open
    if (batch === undefined || batch.asked.length === this.#most) {
      batch = this.#begin()
      this.#open = batch
    }
    batch.asked.push(asked)
    return batch
  }

  #begin(): Batch<Asked, Answer> {
    const batch: Batch<Asked, Answer> = new Batch(this.#defer, (asked) => {
      if (this.#open === batch) this.#open = undefined
      return this.#run(asked)
    })
    return batch
  }
}
