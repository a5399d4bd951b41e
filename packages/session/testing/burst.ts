import { deepEqual, ok } from 'node:assert/strict'
import type { SessionBackend } from '../src/backend.ts'
import { eventually } from './outages.ts'
import { destroy, get, put, putNew, type RecordCall, replace, type State, touch } from './record-call.ts'

interface Asked {
  readonly id: string
  readonly call: RecordCall
  /** What is there before the call: nobody else asks for this record. */
  readonly before: State
}

const ofEachKind = 20

/** Many calls that are under way at the same time, each alone with its record: so it is known what each must answer. */
export class Burst {
  readonly #backend: SessionBackend
  readonly #asked: readonly Asked[]
  #ends: readonly PromiseSettledResult<unknown>[] = []

  private constructor(backend: SessionBackend, asked: readonly Asked[]) {
    this.#backend = backend
    this.#asked = asked
  }

  /** Puts there what the calls will meet. `name` is no other burst's. */
  static async prepare(backend: SessionBackend, name: string, withinMs: number): Promise<Burst> {
    const asked = Array.from({ length: ofEachKind }, (_, n) => callsFor(`${name} ${n}`)).flat()
    await Promise.all(
      asked.map(({ id, before }) =>
        before === undefined ? undefined : eventually(withinMs, () => put(id, before).run(backend)),
      ),
    )
    return new Burst(backend, asked)
  }

  /** Until each has ended, one way or the other. Resolves to how many milliseconds that took. */
  async run(): Promise<number> {
    const startedAt = performance.now()
    this.#ends = await Promise.allSettled(this.#asked.map(({ call }) => call.run(this.#backend)))
    return performance.now() - startedAt
  }

  /** Rejects when one was answered otherwise than in quiet times, or its record is not as was answered. */
  async check(withinMs: number): Promise<void> {
    const look = ({ id }: Asked) => eventually(withinMs, () => get(id).run(this.#backend))
    const afterwards = await Promise.all(this.#asked.map(look))
    for (const [place, { id, call, before }] of this.#asked.entries()) {
      const end = this.#ends[place]!
      const found = afterwards[place]
      const expected = call.expect(before)
      const was = `${call.what} of "${id}"`
      if (end.status === 'fulfilled') {
        deepEqual(end.value, expected.answer, `${was} has another answer than in quiet times`)
        ok(found === expected.state, `${was} was answered, but then there is ${found}`)
      } else {
        ok(found === before || found === expected.state, `${was} failed, and then there is ${found}`)
      }
    }
  }
}

function callsFor(name: string): Asked[] {
  const [first, second] = ['{"n":1}', '{"n":2}']
  return [
    { id: `got ${name}`, call: get(`got ${name}`), before: first },
    { id: `put ${name}`, call: put(`put ${name}`, second), before: first },
    { id: `new ${name}`, call: putNew(`new ${name}`, second), before: undefined },
    { id: `replaced ${name}`, call: replace(`replaced ${name}`, first, second), before: first },
    { id: `touched ${name}`, call: touch(`touched ${name}`), before: first },
    { id: `ended ${name}`, call: destroy(`ended ${name}`), before: first },
  ]
}
