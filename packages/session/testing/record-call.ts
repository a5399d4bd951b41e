import type { Replaced, SessionBackend } from '../src/backend.ts'

/** What is under an id: `undefined` when nothing is. */
export type State = string | undefined

/** A call for one record, and what it must answer: the contract of a single call, as a function. */
export interface RecordCall<Answer = unknown> {
  /** In words, for whoever has to find out what went wrong. */
  readonly what: string
  readonly isWrite: boolean
  run(backend: SessionBackend): Promise<Answer>
  /** The answer where it found `state`, and what is there afterwards. */
  expect(state: State): { readonly answer: Answer; readonly state: State }
}

/** Longer than any race. */
const minuteMs = 60_000

export function get(id: string): RecordCall<State> {
  return {
    what: 'get',
    isWrite: false,
    run: (backend) => backend.get(id),
    expect: (state) => ({ answer: state, state }),
  }
}

export function put(id: string, text: string): RecordCall<void> {
  return {
    what: `put ${text}`,
    isWrite: true,
    run: (backend) => backend.put(id, text, minuteMs),
    expect: () => ({ answer: undefined, state: text }),
  }
}

export function putNew(id: string, text: string): RecordCall<boolean> {
  return {
    what: `putNew ${text}`,
    isWrite: true,
    run: (backend) => backend.putNew(id, text, minuteMs),
    expect: (state) => ({ answer: state === undefined, state: state ?? text }),
  }
}

export function replace(id: string, expected: string, text: string): RecordCall<Replaced> {
  return {
    what: `replace ${expected} by ${text}`,
    isWrite: true,
    run: (backend) => backend.replace(id, expected, text, minuteMs),
    expect: (state) =>
      state === expected
        ? { answer: { isDone: true }, state: text }
        : { answer: { isDone: false, current: state }, state },
  }
}

export function touch(id: string): RecordCall<boolean> {
  return {
    what: 'touch',
    isWrite: true,
    run: (backend) => backend.touch(id, minuteMs),
    expect: (state) => ({ answer: state !== undefined, state }),
  }
}

export function destroy(id: string): RecordCall<State> {
  return {
    what: 'destroy',
    isWrite: true,
    run: (backend) => backend.destroy(id),
    expect: (state) => ({ answer: state, state: undefined }),
  }
}
