import type { Report } from './report.ts'

/** So many kinds of failing components are told apart. */
const mostComponents = 50

/**
 * A reporter that may fail without harm to who reports: what it throws is said on stderr, once for each
 * component, since a cache reports thousands of times a second. `done` is what did not happen: `counted`.
 */
export function harmless<More extends readonly unknown[]>(
  done: string,
  hear: (report: Report, ...more: More) => void,
): (report: Report, ...more: More) => void {
  const said = new Set<string>()
  return (report, ...more) => {
    try {
      hear(report, ...more)
    } catch (failure) {
      const { component } = report
      if (said.has(component) || said.size >= mostComponents) return
      said.add(component)
      console.error(`stepladder: an operation of ${component} could not be ${done}:`, failure)
    }
  }
}
