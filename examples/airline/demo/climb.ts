import { writeFile } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '../database/open-database.ts'
import { startApp } from './app.ts'
import { measureCapacity, type Offer, offerBeyond, offerOf } from './calibrate.ts'
import type { Climb, MeasuredRung } from './climb-result.ts'
import { DemoError } from './demo-error.ts'
import { ladderDiffs } from './diff.ts'
import { type Figures, watchCores } from './figures.ts'
import { type Ground, prepareGround } from './ground.ts'
import { Ledger } from './ledger.ts'
import { customers, type MeasureOptions, measureRung } from './measure-rung.ts'
import { type DemoOptions, parseOptions, UsageError, usage } from './options.ts'
import { Progress } from './progress.ts'
import { remark } from './remark.ts'
import { renderReport } from './report/report.ts'
import { rungs } from './rung.ts'
import { tableHead, tableLine } from './table.ts'
import { Traffic } from './traffic.ts'
import { readWorld, type World } from './world.ts'

const interruption = new AbortController()
const progress = new Progress()
process.exitCode = await main(process.argv.slice(2))

async function main(argv: readonly string[]): Promise<number> {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => interruption.abort(new DemoError(`The demo was ended by ${name}.`)))
  }
  try {
    const options = parseOptions(argv)
    if (options.action === 'help') console.log(usage)
    if (options.action === 'diff') console.log(await ladderDiffs())
    return options.action === 'climb' ? await climb(options) : 0
  } catch (failure) {
    progress.clear()
    if (failure instanceof UsageError) {
      console.error(`${failure.message}\n\n${usage}`)
      return 2
    }
    console.error(failure instanceof DemoError ? `\n${failure.message}` : failure)
    return 1
  }
}

async function climb(options: DemoOptions): Promise<number> {
  const startedAt = performance.now()
  const busyBefore = await howBusyNow()
  const onProgress = (what: string, share: number) => progress.show(what, share)
  await using ground = await prepareGround({
    real: options.real,
    full: options.full,
    redisUrl: process.env.REDIS_URL,
    databaseUrl: process.env.DATABASE_URL,
    onProgress,
  })
  interruption.signal.throwIfAborted()
  const { world, offer } = await prepareOffer(ground, options.rate)
  const climbed: Climb = {
    machine: `${availableParallelism()} cores, ${cpus()[0]?.model.trim() ?? 'unknown'}, Node.js ${process.version}`,
    busyBefore,
    stands: ground.description,
    flights: ground.flights,
    offeredPerSecond: offer.rate,
    offer: offer.inWords,
    seconds: options.measuredMs / 1_000,
    rungs: await measureAll(options, { ground, world, offer }),
  }
  await writeFile('demo-report.html', renderReport(climbed))
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(climbed, null, 2)}\n`)
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0)
  console.log(`\nThe plots are in demo-report.html. (${seconds} s)`)
  return verdict(climbed.rungs)
}

/** How busy others keep this machine: what they take, the airline cannot show. From 0 to 1. */
async function howBusyNow(): Promise<number> {
  const busy = watchCores()
  await sleep(500)
  const share = busy()
  const percent = (share * 100).toFixed(0)
  if (share > 0.3) console.log(`This machine is ${percent} % busy with other work: the figures will suffer.`)
  return share
}

/** Learns what the monolith can do, in order to offer about three times as much, unless told how much to offer. */
async function prepareOffer(
  ground: Ground,
  wanted: number | undefined,
): Promise<{ world: World; offer: Offer }> {
  progress.show('calibrating the load', 0)
  const env = await ground.freshFor('calibration')
  await using database = openDatabase({ env })
  const world = await readWorld(database)
  if (wanted !== undefined) return { world, offer: offerOf(wanted) }
  await using monolith = await startApp(rungs[0]!, env)
  const traffic = new Traffic(world, new Ledger(customers), 1)
  const capacity = await monolith.watch(measureCapacity(monolith.origin, traffic, 1_500))
  interruption.signal.throwIfAborted()
  return { world, offer: offerBeyond(capacity) }
}

async function measureAll(
  options: DemoOptions,
  prepared: Pick<MeasureOptions, 'ground' | 'world' | 'offer'>,
): Promise<MeasuredRung[]> {
  const { ground, offer } = prepared
  progress.clear()
  console.log(`${ground.flights} flights; ${ground.description}; ${offer.inWords}\n\n${tableHead()}`)
  const measured: MeasuredRung[] = []
  for (const rung of options.rungs) {
    const figures = await measureRung(rung, {
      ...prepared,
      measuredMs: options.measuredMs,
      signal: interruption.signal,
      onProgress: (what, share) => progress.show(`rung ${rung.folder}: ${what}`, share),
    })
    const said = remark(figures, measured.at(-1))
    measured.push({ ...figures, remark: said })
    progress.clear()
    console.log(tableLine(figures, said))
  }
  return measured
}

/** Every promise must hold at every rung, but for the carts where nothing shares the sessions. */
function verdict(figures: readonly Figures[]): number {
  const broken = figures.flatMap(({ rung, folder, findings }) =>
    findings
      .filter(({ what, isGood }) => !isGood && (what !== 'carts' || rungs[rung]!.sharesSessions))
      .map(({ detail }) => `  ${folder}: ${detail}`),
  )
  if (broken.length === 0) return 0
  console.error(`\nBroken promises:\n${broken.join('\n')}`)
  return 1
}
