import { type App, type Environment, startApp } from './app.ts'
import type { Offer } from './calibrate.ts'
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
  readonly offer: Offer
  readonly measuredMs: number
  readonly signal: AbortSignal
  readonly onProgress: (what: string, share: number) => void
}

/** More than can be under way at a time, so that there is always one who waits for nothing. */
export const customers = 2_000
const warmMs = 1_000

/** Starts the airline as it is at this rung on fresh databases, loads it, checks it, and stops it. */
export async function measureRung(rung: Rung, options: MeasureOptions): Promise<Figures> {
  const { ground, onProgress } = options
  onProgress('starting', 0)
  const env = await ground.freshFor(rung.folder)
  await using app = await startApp(rung, env)
  const grounded = ground.watch()
  const ending = new AbortController()
  const signal = AbortSignal.any([options.signal, ending.signal])
  try {
    return await Promise.race([
      app.watch(loadAndCheck(rung, app, env, { ...options, signal })),
      grounded.failed,
    ])
  } catch (failure) {
    ending.abort(failure)
    // What would still be drained in order is of no use to anybody.
    await app.kill()
    throw failure
  } finally {
    grounded.stop()
  }
}

async function loadAndCheck(
  rung: Rung,
  app: App,
  env: Environment,
  options: MeasureOptions,
): Promise<Figures> {
  const { world, offer, measuredMs, signal, onProgress } = options
  const ledger = new Ledger(customers)
  const traffic = new Traffic(world, ledger, 2)
  const queriesBefore = await app.countQueries()
  let coresBusy = () => 0
  const load = await offerLoad({
    ...{ origin: app.origin, traffic, warmMs, measuredMs, signal },
    ...{ rate: offer.rate, underWay: offer.underWay },
    onProgress: (share) => onProgress('under load', share),
    onMeasuring: () => {
      coresBusy = watchCores()
    },
  })
  const machineBusy = coresBusy()
  signal.throwIfAborted()

  onProgress('checking', 1)
  const result = await check({ rung, app, env, ledger, world })
  const queries = (await app.countQueries()) - queriesBefore
  return {
    ...summarise(rung, load, measuredMs),
    ...result,
    queriesPerRequest: queries / load.sent,
    machineBusy,
    deaths: app.deaths(),
  }
}
