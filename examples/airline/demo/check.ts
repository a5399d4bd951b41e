import { setTimeout as sleep } from 'node:timers/promises'
import { bookingShards, openDatabase } from '../database/open-database.ts'
import { type App, type Environment, startApp } from './app.ts'
import { Ledger } from './ledger.ts'
import { type Rung, rungs } from './rung.ts'
import { Sender } from './sender.ts'
import { Traffic } from './traffic.ts'
import type { Visit } from './visit.ts'
import type { World } from './world.ts'

/** One thing that must hold, whatever the speed. */
export interface Finding {
  readonly what: 'events' | 'bookings' | 'carts' | 'report' | 'answers'
  readonly isGood: boolean
  /** In words, with the figures. */
  readonly detail: string
}

export interface CheckOptions {
  readonly rung: Rung
  readonly app: App
  readonly env: Environment
  readonly ledger: Ledger
  readonly world: World
  /** How long accepted events may take to reach the database. Default 10 s. */
  readonly drainMs?: number | undefined
}

export interface CheckResult {
  readonly findings: readonly Finding[]
  readonly carts: { readonly kept: number; readonly of: number }
}

/** Holds what the airline promised under load against its databases and against the monolith. */
export async function check(options: CheckOptions): Promise<CheckResult> {
  const { app, env, ledger, rung, world, drainMs = 10_000 } = options
  const stored = await drainedEvents(env, ledger, drainMs)
  const carts = await countCarts(app, ledger)
  const findings = [
    checkEvents(stored, ledger),
    checkBookings(await storedBookings(env), ledger),
    { what: 'carts', isGood: carts.kept === carts.of, detail: `${carts.kept} of ${carts.of} carts kept` },
    await checkReport(env, app),
    await checkAnswers(rung, app, env, world),
  ] as const
  return { findings, carts }
}

/** What was accepted may still be on its way to the database; waits for it, but not for ever. */
async function drainedEvents(env: Environment, ledger: Ledger, drainMs: number): Promise<string[]> {
  await using database = openDatabase({ env })
  const deadline = performance.now() + drainMs
  for (;;) {
    const rows = await database.selectFrom('flight_events').select('id').execute()
    const stored = new Set(rows.map(({ id }) => id))
    if (count(ledger.acceptedEvents, (id) => !stored.has(id)) === 0 || performance.now() > deadline)
      return rows.map(({ id }) => id)
    await sleep(100)
  }
}

function checkEvents(stored: readonly string[], { acceptedEvents, unsureEvents }: Ledger): Finding {
  const distinct = new Set(stored)
  const lost = count(acceptedEvents, (id) => !distinct.has(id))
  const twice = stored.length - distinct.size
  const strange = count(distinct, (id) => !acceptedEvents.has(id) && !unsureEvents.has(id))
  const isGood = lost === 0 && twice === 0 && strange === 0
  const detail = isGood
    ? `${acceptedEvents.size} accepted flight events, each stored once`
    : `of ${acceptedEvents.size} accepted flight events ${lost} are lost, ${twice} stored twice, ${strange} unknown`
  return { what: 'events', isGood, detail }
}

function count(ids: ReadonlySet<string>, isMeant: (id: string) => boolean): number {
  return [...ids].filter(isMeant).length
}

async function storedBookings(env: Environment): Promise<Map<string, number>> {
  const stored = new Map<string, number>()
  for (const name of ['airline', ...bookingShards]) {
    await using database = openDatabase({ name, env })
    for (const { id, customer_id } of await database.selectFrom('bookings').selectAll().execute()) {
      // The same booking in two databases is as wrong as none.
      stored.set(id, stored.has(id) ? Number.NaN : customer_id)
    }
  }
  return stored
}

function checkBookings(stored: ReadonlyMap<string, number>, { confirmedBookings }: Ledger): Finding {
  const wrong = [...confirmedBookings].filter(([id, customer]) => stored.get(id) !== customer).length
  const detail = `${confirmedBookings.size - wrong} of ${confirmedBookings.size} confirmed bookings stored once`
  return { what: 'bookings', isGood: wrong === 0, detail }
}

/** Every visitor who was told of something in the cart looks into it again. */
async function countCarts(app: App, { customers }: Ledger): Promise<{ kept: number; of: number }> {
  const shoppers = customers.filter(({ told }) => told.size > 0)
  const sender = new Sender(app.origin, 32)
  const looks = shoppers.map(async (customer) => {
    const visit: Visit = { kind: 'see cart', method: 'GET', path: '/cart', customer, keepsText: true }
    const { status, text } = await sender.send(visit, performance.now() + 10_000)
    // The airline's own answer: seats by flight.
    return status === 200 && customer.recognises(JSON.parse(text) as Record<string, number>)
  })
  const kept = (await Promise.all(looks)).filter(Boolean).length
  await sender.close()
  return { kept, of: shoppers.length }
}

async function checkReport(env: Environment, app: App): Promise<Finding> {
  await using database = openDatabase({ env })
  const rows = await database.selectFrom('reports').select('id').execute()
  // A worker that was killed starts again, and writes its report again.
  const most = 1 + app.deaths().length
  const isGood = rows.length >= 1 && rows.length <= most
  return { what: 'report', isGood, detail: `${rows.length} report${rows.length === 1 ? '' : 's'} written` }
}

/** Asks this rung and a monolith over the same database for the same things, each several times. */
async function checkAnswers(rung: Rung, app: App, env: Environment, world: World): Promise<Finding> {
  // An invalidation reaches every process within a second.
  if (rung.number >= 3) await sleep(1_000)
  await using monolith = await startApp(rungs[0]!, { ...env, REDIS_URL: undefined })
  const paths = samplePaths(world, 40)
  const wrong = await Promise.all(paths.map((path) => differs(path, monolith, app)))
  const differing = wrong.filter((path) => path !== undefined)
  const isGood = differing.length === 0
  const detail = isGood
    ? `${paths.length} answers the same as the monolith's, byte for byte`
    : `${differing.length} of ${paths.length} answers differ from the monolith's: ${differing.slice(0, 3).join(', ')}`
  return { what: 'answers', isGood, detail }
}

function samplePaths(world: World, count: number): string[] {
  // Drawn as the visitors draw, so that what is asked for most is looked at most.
  const traffic = new Traffic(world, new Ledger(1_000), 11)
  const paths = new Set<string>()
  while (paths.size < count) {
    const { kind, path } = traffic.next()
    if (kind === 'board' || kind === 'delays' || kind === 'weather') paths.add(path)
  }
  return [...paths]
}

async function differs(path: string, monolith: App, app: App): Promise<string | undefined> {
  const expected = await read(monolith, path)
  // Several times at once, so that more than one worker is asked.
  const answers = await Promise.all([1, 2, 3, 4].map(() => read(app, path)))
  return answers.every((answer) => answer === expected) ? undefined : path
}

async function read(app: App, path: string): Promise<string> {
  const response = await fetch(app.origin + path, { signal: AbortSignal.timeout(10_000) })
  return `${response.status} ${await response.text()}`
}
