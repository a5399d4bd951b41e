import type { Reporter } from '../report.ts'

/**
 * Writes to stderr what fails, for an app that asked for no reports: nobody calls a leader's task, so nobody
 * else would hear. Of the same operation failing again and again, only the first is told, and its recovery.
 */
export function complainOfLeadership(): Reporter {
  const failing = new Set<string>()
  return ({ name, operation, outcome, cause }) => {
    if (outcome === 'failed') {
      // Each failure of the app's own task is news.
      if (!failing.has(operation) || operation === 'lead')
        console.error(`${prefix(name, operation)} failed:`, cause)
      failing.add(operation)
    } else if (failing.delete(operation) && operation !== 'lead') {
      console.error(`${prefix(name, operation)} works again`)
    }
  }
}

function prefix(name: string, operation: string): string {
  return `stepladder: leader "${name}": ${operation}`
}
