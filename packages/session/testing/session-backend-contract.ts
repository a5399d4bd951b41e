import { batchPromises } from './batch-promises.ts'
import { concurrencyPromises } from './concurrency-promises.ts'
import { outagePromises } from './outage-promises.ts'
import { skipPromises, testPromises } from './promises.ts'
import { recordPromises } from './record-promises.ts'
import { type MakeSessionBackend, readTools, type SessionBackendTools } from './session-backend-tools.ts'

/**
 * What every `SessionBackend` promises, as one test each: to one caller, to many in one turn, to two backends on the same
 * records at once, and, where the tools have a `place` to break, in its outages. Records expire by the real clock.
 * Throws `InvalidOptionError` or `UnknownOptionError`.
 */
export function testSessionBackend(name: string, make: MakeSessionBackend, tools: SessionBackendTools): void {
  const settings = readTools('testSessionBackend', tools)
  const { test, place } = tools
  testPromises(name, make, test, {
    ...recordPromises,
    ...batchPromises(settings),
    ...concurrencyPromises(settings),
  })
  if (place) testPromises(name, make, test, outagePromises(settings))
  else skipPromises(name, test, outagePromises(settings))
}
