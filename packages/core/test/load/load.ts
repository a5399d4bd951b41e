/** Where a load goes, and until when. */
export interface LoadTarget {
  readonly port: number
  /** Decides the random numbers that the clients use. */
  readonly seed: number
  /** Clients at the same time. */
  readonly clients: number
  /** So many answers at least, even if `signal` is aborted before. Default none. */
  readonly atLeast?: number | undefined
  /** Ends the load when it is aborted: what has been asked by then is still waited for. */
  readonly signal: AbortSignal
  /** Default: what the model names for the app of `fixtures/open-app.cjs`. */
  readonly path?: string | undefined
}

export interface LoadResult {
  readonly answered: number
  /** What got no answer, or a wrong one, by what happened to it. */
  readonly lost: Readonly<Record<string, number>>
  /** What was refused in a way by which the client knows to ask again, and did. */
  readonly askedAgain: number
}

/** Clients of one kind; resolves when they have ended. */
export type LoadModel = (target: LoadTarget) => Promise<LoadResult>

/** What does not come within so long counts as lost, in milliseconds: far more than any machine needs. */
export const hangsMs = 20_000

const mostLosses = 100

/** Counts for all clients of a load. */
export class Tally {
  #answered = 0
  #askedAgain = 0
  #losses = 0
  readonly #lost: Record<string, number> = {}
  readonly #target: LoadTarget

  constructor(target: LoadTarget) {
    this.#target = target
  }

  get isOver(): boolean {
    // What a run was meant to bring it may never bring when it loses much.
    const hasEnough = this.#answered >= (this.#target.atLeast ?? 0) || this.#losses >= mostLosses
    return this.#target.signal.aborted && hasEnough
  }

  answered(): void {
    this.#answered += 1
  }

  askedAgain(): void {
    this.#askedAgain += 1
  }

  lost(failure: unknown): void {
    this.#losses += 1
    const code = failure instanceof Error && 'code' in failure ? failure.code : failure
    const name = code instanceof Error ? code.message : String(code)
    this.#lost[name] = (this.#lost[name] ?? 0) + 1
  }

  /** Runs `client` until the load is over, so many at a time. */
  async run(client: (index: number) => Promise<void>): Promise<LoadResult> {
    const { clients } = this.#target
    await Promise.all(Array.from({ length: clients }, (_, index) => client(index)))
    return { answered: this.#answered, lost: this.#lost, askedAgain: this.#askedAgain }
  }
}
