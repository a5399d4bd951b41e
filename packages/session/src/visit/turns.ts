/** What one request asks of its session: one after the other, in the order of asking, and what failed of it. */
export class Turns {
  #last: Promise<unknown> | undefined
  #unended: unknown
  #unheard: unknown

  /** Whether something is under way. */
  get isBusy(): boolean {
    return this.#last !== undefined
  }

  /**
   * Why a session that should be over is not: the last `end` failed. Nothing of the request may then look as if it were,
   * whether the app has looked at the failure or not.
   */
  get unended(): unknown {
    return this.#unended
  }

  /** Begins at once where nothing is under way. What `task` throws is what the promise rejects with. */
  take<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last ? this.#last.then(task, task) : task()
    this.#last = turn
    const done = () => {
      if (this.#last === turn) this.#last = undefined
    }
    turn.then(done, done)
    return turn
  }

  /** A turn that ends the session. */
  end<T>(task: () => Promise<T>): Promise<T> {
    return this.take(async () => {
      try {
        const ended = await task()
        this.#unended = undefined
        return ended
      } catch (failure) {
        this.#unended = failure
        throw failure
      }
    })
  }

  /** A turn that leaves nothing to be saved when it fails, so that a later save would not tell. */
  update<T>(task: () => Promise<T>): Promise<T> {
    return this.take(async () => {
      try {
        return await task()
      } catch (failure) {
        this.#unheard = failure
        throw failure
      }
    })
  }

  /** The turn at the request's end. It fails with an update that is still under way: nobody has awaited that. */
  last<T>(task: () => Promise<T>): Promise<T> {
    this.#unheard = undefined
    return this.take(() => {
      if (this.#unheard !== undefined) throw this.#unheard
      return task()
    })
  }
}
