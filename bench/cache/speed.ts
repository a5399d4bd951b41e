import type { Figure } from '../figure.ts'
import { inTurns, ratioFigure, type Turns } from '../turns.ts'

/** Calls per second that the process spent computing, and per second on the clock. */
export interface Speed {
  readonly perCpuSecond: number
  readonly perSecond: number
}

export interface Arm {
  readonly name: string
  /** Sends so many calls from the number `first` on, each awaited before its successor. */
  readonly call: (first: number, count: number) => Promise<void>
}

/** Of CPU time: on a busy machine a slice takes longer, and holds as much. */
const sliceMicros = 50_000
/** Many short slices: what else happens on the machine then hits all arms alike. */
const slicesPerRound = 4

export interface SpeedTold {
  readonly id: string
  readonly what: string
  readonly aim: string
  /** The arm that the first one is compared with. */
  readonly against: string
  /** How many callers there are, each with one call at a time. */
  readonly concurrency: number
  /** Calls of one caller between two looks at the clock. */
  readonly batch: number
  /** CPU time of each arm before it counts: until it is compiled as well as it will be, which takes tens of thousands of calls. */
  readonly warmUpMicros: number
}

/** How fast the first arm is, by CPU time and, with `-wall`, by the clock. */
export async function speedFigures(told: SpeedTold, arms: readonly Arm[], rounds: number): Promise<Figure[]> {
  const { id, what, aim, against } = told
  for (const arm of arms) await speedOf(arm, told, told.warmUpMicros)
  const turns = await inTurns(arms, rounds * slicesPerRound, (arm) => speedOf(arm, told, sliceMicros))
  return [
    ratioFigure({ id, what, aim, armsUnit: 'calls/CPU-s' }, pick(turns, 'perCpuSecond'), against),
    ratioFigure(
      { id: `${id}-wall`, what: `${what}, by the clock`, aim, armsUnit: 'calls/s' },
      pick(turns, 'perSecond'),
      against,
    ),
  ]
}

async function speedOf({ call }: Arm, { concurrency, batch }: SpeedTold, micros: number): Promise<Speed> {
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  let calls = 0
  const caller = async () => {
    while (microsSince(cpuBefore) < micros) {
      const first = calls
      calls += batch
      await call(first, batch)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, caller))
  const seconds = (performance.now() - startedAt) / 1_000
  return { perCpuSecond: calls / (microsSince(cpuBefore) / 1e6), perSecond: calls / seconds }
}

/** What the process has spent computing since then, its threads and the kernel on its behalf. */
function microsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return user + system
}

function pick(turns: Turns<Speed>, kind: keyof Speed): Turns<number> {
  return new Map([...turns].map(([name, speeds]) => [name, speeds.map((speed) => speed[kind])]))
}
