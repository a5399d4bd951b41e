interface Waiting<Asked, Answer> {
  readonly asked: Asked
  readonly resolve: (answer: Answer) => void
  readonly reject: (cause: unknown) => void
}

/** What a store is asked at most in one call. */
const mostKeys = 128

/** Collects what is asked within one turn of the event loop, and asks for all of it at once. */
export class Batches<Asked, Answer> {
  readonly #run: (asked: readonly Asked[]) => Promise<readonly Answer[]>
  readonly #mostAtOnce: number
  #waiting: Waiting<Asked, Answer>[] = []

  /** `run` answers in the order in which it is asked. */
  constructor(run: (asked: readonly Asked[]) => Promise<readonly Answer[]>, mostAtOnce: number = mostKeys) {
    this.#run = run
    this.#mostAtOnce = mostAtOnce
  }

  ask(asked: Asked): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const count = this.#waiting.push({ asked, resolve, reject })
      if (count === this.#mostAtOnce) this.#send()
      // After the microtasks of this turn, which may have more to ask.
      else if (count === 1) process.nextTick(() => this.#send())
    })
  }

  #send(): void {
    const batch = this.#waiting
    if (batch.length === 0) return
    this.#waiting = []
    this.#run(batch.map(({ asked }) => asked)).then(
      (answers) => {
        for (let index = 0; index < batch.length; index++) batch[index]!.resolve(answers[index]!)
      },
      (failure) => {
        for (const { reject } of batch) reject(failure)
      },
    )
  }
}
