import type { AnyLoad } from '../read/loader.ts'

const marked = new WeakSet<AnyLoad>()

/** Marks a loader that belongs to its call, and would answer something else the next time: nobody else is to ask it. */
export function forOneCall<L extends AnyLoad>(load: L): L {
  marked.add(load)
  return load
}

export function isForOneCall(load: AnyLoad): boolean {
  return marked.has(load)
}
