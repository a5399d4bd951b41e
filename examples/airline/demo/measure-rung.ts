import { startApp } from './app.ts'
import { check } from './check.ts'
import { type Figures, summarise, watchCores } from './figures.ts'
import type { Ground } from './ground.ts'
import { Ledger } from './ledger.ts'
import { offerLoad } from './load.ts'
import type { Rung } from './rung.ts'
import { Traffic } from './traffic.ts'
import type { World } from './world.ts'

export interface MeasureOptions {
  readonly ground: Ground
  readonly world: World
  readonly rate: number
  readonly measuredMs: number
  readonly signal: AbortSignal
  readonly onProgress: (what: string, share: number) => void
}

/** More than can be under way at a time, so that there is always one who waits for nothing. */
export const customers = 2_000
const warmMs = 1_000

/** Starts the airline as it is at this rung on fresh databases, loads it, checks it, and stops it. */
export async function measureRung(rung: Rung, options: MeasureOptions): Promise<Figures> {
  const { ground, world, rate, measuredMs, signal, onProgress } = options
  onProgress('starting', 0)
  const env = await ground.freshFor(rung.folder)
  await using app = await startApp(rung, env)
  const ledger = new Ledger(customers)
  const traffic = new Traffic(world, ledger, 2)

  const queriesBefore = await app.watch(app.countQueries())
  let coresBusy = () => 0
  const onMeasuring = () => {
    coresBusy = watchCores()
  }
  const progress = (share: number) => onProgress('under load', share)
  const offered = {
    origin: app.origin,
    traffic,
    rate,
    warmMs,
    measuredMs,
    signal,
    onProgress: progress,
    onMeasuring,
  }
  const load = await app.watch(offerLoad(offered))
  const machineBusy = coresBusy()
  signal.throwIfAborted()

  onProgress('checking', 1)
  // What is gone cannot keep a promise; said first, it explains all that follows.
  await ground.check()
  const result = await app.watch(check({ rung, app, env, ledger, world }))
  await ground.check()
  const queries = (await app.watch(app.countQueries())) - queriesBefore
  return {
    ...summarise(rung, load, measuredMs),
    ...result,
    queriesPerRequest: queries / load.sent,
    machineBusy,
    deaths: app.deaths(),
  }
}
