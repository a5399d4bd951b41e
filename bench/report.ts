import { AsyncLocalStorage } from 'node:async_hooks'
import { tracingChannel } from 'node:diagnostics_channel'
import {
  begin,
  type End,
  ignoreReports,
  inside,
  type OperationTrace,
  type Report,
  type Reporter,
  systemClock,
} from '@stepladder/core'
import type { Bench, Figure } from './figure.ts'
import { interleave } from './interleave.ts'

const idleCalls = 10_000_000
const busyCalls = 200_000

/** What is measured, so often; each arm brings its own loop, or all would share one that inlines none. */
type Work = (times: number) => void

/** What the loops leave behind, so that none of them is optimised away. */
const left = { ms: 0 }
const report: Reporter = ({ ms }) => {
  left.ms += ms
}
const operations = tracingChannel<OperationTrace, OperationTrace>('stepladder.operation')

export const bench: Bench = {
  name: 'report',
  async run(rounds) {
    return [await idle(rounds), await reported(rounds), await subscribed(rounds)]
  },
}

/** What every operation pays while nobody listens; the loop that measures it is in the value. */
async function idle(rounds: number): Promise<Figure> {
  const { arms, ratio, spread } = await interleave(
    { ours: async () => nsPerCall(idleCalls, unheard), nothing: async () => nsPerCall(idleCalls, nothing) },
    rounds,
    (round) => round.ours,
  )
  const what = 'an operation that nobody hears of, by a reporter or by the channel'
  return { id: 'trace-idle', what, aim: '<= 5', value: ratio, unit: 'ns', arms, armsUnit: 'ns/call', spread }
}

/** What the channel costs an operation that is reported, while it has no subscriber. */
async function reported(rounds: number): Promise<Figure> {
  const { arms, ratio, spread } = await interleave(
    {
      ours: async () => nsPerCall(busyCalls, heard),
      'without a channel': async () => nsPerCall(busyCalls, untraced),
    },
    rounds,
    (round) => round.ours / round['without a channel'],
  )
  const what = 'an operation that is reported, while the channel has no subscriber'
  const [aim, unit, armsUnit] = ['<= 1.1', 'x', 'ns/call']
  return { id: 'trace-reported', what, aim, value: ratio, unit, arms, armsUnit, spread }
}

/** What a subscriber costs, for who decides whether to have one in production. */
async function subscribed(rounds: number): Promise<Figure> {
  const spans = new AsyncLocalStorage<OperationTrace>()
  const { asyncEnd, start } = operations
  const hear = (trace: unknown) => {
    // The channel carries nothing else.
    left.ms += (trace as OperationTrace).ms ?? 0
  }
  const { arms, ratio, spread } = await interleave(
    {
      'hears the end': async () => {
        asyncEnd.subscribe(hear)
        const ns = nsPerCall(busyCalls, unheard)
        asyncEnd.unsubscribe(hear)
        return ns
      },
      'binds its store, and work runs inside': async () => {
        start.bindStore(spans, (trace) => trace)
        const ns = nsPerCall(busyCalls, withWork)
        start.unbindStore(spans)
        return ns
      },
    },
    rounds,
    (round) => round['hears the end'],
  )
  const what = 'an operation that a tracer hears of'
  return { id: 'trace-subscribed', what, value: ratio, unit: 'ns', arms, armsUnit: 'ns/call', spread }
}

const unheard: Work = (times) => {
  for (let index = 0; index < times; index++) begin(subject(), ignoreReports)('hit')
}

const nothing: Work = (times) => {
  let length = 0
  for (let index = 0; index < times; index++) length += subject().name.length
  left.ms += length
}

const heard: Work = (times) => {
  for (let index = 0; index < times; index++) begin(subject(), report)('hit')
}

const untraced: Work = (times) => {
  for (let index = 0; index < times; index++) beginUntraced(subject(), report)('hit')
}

const withWork: Work = (times) => {
  for (let index = 0; index < times; index++) {
    const end = begin(subject(), ignoreReports)
    inside(end, () => index)
    end('hit')
  }
}

/** Made anew for each call, as the modules do. */
function subject(): Pick<Report, 'component' | 'name' | 'operation'> {
  return { component: 'cache', name: 'flights', operation: 'get' }
}

/** `begin` as it would be without a channel. */
function beginUntraced(
  { component, name, operation }: Pick<Report, 'component' | 'name' | 'operation'>,
  report: Reporter,
): End {
  const startedAt = systemClock.monotonic()
  return (outcome, cause) => {
    const ended = { component, name, operation, outcome, ms: systemClock.monotonic() - startedAt }
    report(cause === undefined ? ended : { ...ended, cause })
  }
}

/** Of CPU time: what else runs on the machine then counts for less. */
function nsPerCall(times: number, work: Work): number {
  const startedAt = process.cpuUsage()
  work(times)
  const { user, system } = process.cpuUsage(startedAt)
  return ((user + system) * 1_000) / times
}
