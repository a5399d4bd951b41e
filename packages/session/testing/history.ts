import { ok } from 'node:assert/strict'
import { inspect, isDeepStrictEqual } from 'node:util'
import type { SessionBackend } from '../src/backend.ts'
import type { RecordCall, State } from './record-call.ts'

interface Entry {
  readonly call: RecordCall
  readonly begunAt: number
  /** `Infinity` for a call that failed: it may have been done, may be done later, or never. */
  readonly endedAt: number
  readonly answer: unknown
}

/**
 * What was asked about one record and what was answered, by all who asked. It is explained when the calls can be put in an
 * order in which each, done at one moment between its begin and its end, answers as it did: linearizability, searched for
 * as by Wing and Gong (1993). A call that failed may stand anywhere after its begin, or be left out.
 */
export class History {
  readonly #entries: Entry[] = []
  #moment = 0

  /** Rejects as the call does. */
  async run<Answer>(call: RecordCall<Answer>, backend: SessionBackend): Promise<Answer> {
    const begunAt = this.#now()
    try {
      const answer = await call.run(backend)
      this.#entries.push({ call, begunAt, endedAt: this.#now(), answer })
      return answer
    } catch (failure) {
      // A read that failed has changed nothing.
      if (call.isWrite)
        this.#entries.push({ call, begunAt, endedAt: Number.POSITIVE_INFINITY, answer: 'failed' })
      throw failure
    }
  }

  /** Throws an error that lists the calls. */
  check(): void {
    const entries = this.#entries.toSorted((one, other) => one.begunAt - other.begunAt)
    if (isExplained(entries)) return
    const lines = entries.map(
      ({ call, begunAt, endedAt, answer }) =>
        `  ${begunAt} to ${endedAt}: ${call.what} -> ${inspect(answer)}`,
    )
    ok(false, `no order of these calls explains their answers:\n${lines.join('\n')}`)
  }

  #now(): number {
    this.#moment += 1
    return this.#moment
  }
}

function isExplained(entries: readonly Entry[]): boolean {
  const tried = new Set<string>()
  const search = (left: readonly Entry[], state: State): boolean => {
    if (left.every(({ endedAt }) => endedAt === Number.POSITIVE_INFINITY)) return true
    const here = `${left.map(({ begunAt }) => begunAt).join()} ${state}`
    if (tried.has(here)) return false
    tried.add(here)
    // Whoever began after another had ended came after it.
    const firstEnd = Math.min(...left.map(({ endedAt }) => endedAt))
    return left.some((entry) => {
      if (entry.begunAt > firstEnd) return false
      const expected = entry.call.expect(state)
      const isDoubtful = entry.endedAt === Number.POSITIVE_INFINITY
      if (!isDoubtful && !isDeepStrictEqual(expected.answer, entry.answer)) return false
      return search(
        left.filter((other) => other !== entry),
        expected.state,
      )
    })
  }
  return search(entries, undefined)
}
