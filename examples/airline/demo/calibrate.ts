import { mostUnderWay, patienceMs } from './load.ts'
import { Sender } from './sender.ts'
import type { Traffic } from './traffic.ts'
import { isGood } from './visit.ts'

export interface Capacity {
  /** Good answers per second when a few visitors ask as fast as they are answered. */
  readonly answersPerSecond: number
  /** CPU time that this generator itself needs for one visit, in milliseconds. */
  readonly generatorMsPerVisit: number
}

const warmMs = 800

/** How much the airline can do: a few visitors who come back as soon as they are answered ("closed loop"). */
export async function measureCapacity(origin: string, traffic: Traffic, ms: number): Promise<Capacity> {
  const visitors = 16
  const sender = new Sender(origin, visitors)
  // Its code is compiled by then; what a cold start can do is not the question.
  const start = performance.now() + warmMs
  const end = start + ms
  const cpu = process.cpuUsage()
  let answers = 0
  let visits = 0
  const visitor = async () => {
    while (performance.now() < end) {
      const answer = await sender.send(traffic.next(), performance.now() + patienceMs)
      visits++
      if (isGood(answer) && performance.now() >= start) answers++
    }
  }
  await Promise.all(Array.from({ length: visitors }, visitor))
  const { user, system } = process.cpuUsage(cpu)
  await sender.close()
  return {
    answersPerSecond: answers / (ms / 1_000),
    generatorMsPerVisit: (user + system) / 1_000 / visits,
  }
}

/** How much of one core the generator may take at the offered rate: the airline lives on the same machine. */
const mostGeneratorCores = 0.7

export interface Offer {
  /** Visits per second. */
  readonly rate: number
  /** Visits that may be under way at a time. */
  readonly underWay: number
  /** How the rate came about, in words. */
  readonly inWords: string
}

/**
 * About three times what the monolith can do, unless the generator itself could not keep up with that. As many may
 * be under way as it answers in a second: more would wait in vain, and it would do nothing but answer too late.
 */
export function offerBeyond({ answersPerSecond, generatorMsPerVisit }: Capacity): Offer {
  const wanted = 3 * answersPerSecond
  const bound = (mostGeneratorCores * 1_000) / generatorMsPerVisit
  const rate = Math.round(Math.min(wanted, bound))
  const reason = bound < wanted ? 'as much as the generator can send beside it' : 'three times that'
  return {
    rate,
    underWay: Math.round(Math.min(mostUnderWay, Math.max(32, answersPerSecond))),
    inWords: `the monolith answers ${answersPerSecond.toFixed(0)}/s; offered: ${reason}, ${rate}/s`,
  }
}

/** What was asked for on the command line. */
export function offerOf(rate: number): Offer {
  return { rate, underWay: mostUnderWay, inWords: `offered: ${rate}/s, as was asked for` }
}
