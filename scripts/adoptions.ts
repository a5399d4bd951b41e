import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningApp } from './running-app.ts'

/** One module in an app: what the app must have installed, and what can be seen from outside once it is in. */
export type Adoption = {
  /** Names the file of the app that has adopted it: `cache` is `cache.cjs` beside `app.cjs`. */
  name: string
  /** The folders of the packages that it needs. */
  packages: string[]
  shows: string
  /** True when the app in the folder has the effect. `start` starts it, again if asked again. */
  hasEffect(start: () => Promise<RunningApp>, folder: string): Promise<boolean>
}

export const adoptions: readonly Adoption[] = [
  {
    name: 'metrics',
    packages: ['core'],
    shows: 'requests are counted by route',
    async hasEffect(start) {
      const app = await start()
      await app.ask('/airports/ZRH')
      const { answer } = await app.ask('/metrics')
      return /^http_server_request_duration_seconds_count\{.*route="\/airports\/:code".*\} 1$/m.test(
        String(answer),
      )
    },
  },
  {
    name: 'cache',
    packages: ['core', 'cache'],
    shows: 'ten reads are one query',
    async hasEffect(start) {
      const app = await start()
      for (let read = 0; read < 10; read++) {
        const { answer } = await app.ask('/airports/ZRH')
        equal(answer, { code: 'ZRH', name: 'Zurich' })
      }
      return (await countsOf(app)).selects === 1
    },
  },
  {
    name: 'session',
    packages: ['core', 'session'],
    shows: 'a cart outlives a restart',
    async hasEffect(start) {
      const first = await start()
      const { headers, answer } = await first.ask('/cart', { body: { flight: 'LX 1' } })
      equal(answer, ['LX 1'])
      await first.stop()

      const cookie = headers.get('set-cookie')?.split(';')[0] ?? ''
      const second = await start()
      const cart = await second.ask('/cart', { headers: { cookie } })
      return JSON.stringify(cart.answer) === '["LX 1"]'
    },
  },
  {
    name: 'queue',
    packages: ['core', 'queue'],
    shows: 'a hundred writes arrive in fewer statements',
    async hasEffect(start, folder) {
      const app = await start()
      const flights = Array.from({ length: 100 }, (_, number) => `LX ${number}`)
      await Promise.all(flights.map((flight) => app.ask('/events', { body: { flight, kind: 'landed' } })))

      const database = join(folder, 'airline.db')
      for (let tries = 0; tries < 100 && count(database, 'events') < flights.length; tries++) await sleep(50)
      equal(count(database, 'events'), flights.length)
      return (await countsOf(app)).inserts < flights.length
    },
  },
  {
    name: 'shard',
    packages: ['core', 'shard'],
    shows: 'customers are spread over two databases',
    async hasEffect(start, folder) {
      const app = await start()
      const customers = Array.from({ length: 20 }, (_, number) => `customer-${number}`)
      for (const customer of customers) {
        await app.ask(`/customers/${customer}/bookings`, { body: { flight: customer } })
        const { answer } = await app.ask(`/customers/${customer}/bookings`)
        equal(answer, [{ flight: customer }])
      }
      const first = count(join(folder, 'airline.db'), 'bookings')
      return first > 0 && first < customers.length && first + count(join(folder, 'two.db'), 'bookings') === 20
    },
  },
]

/** Every core: no line changes, the unchanged app answers from two processes, once both have started. */
export async function answersFromTwoProcesses(app: RunningApp, withinMs: number): Promise<boolean> {
  const seen = new Set<unknown>()
  // Many at a time, on a connection each: an idle worker may take every connection that comes alone.
  const ask = () => app.ask('/process', { headers: { connection: 'close' } })
  for (const deadline = Date.now() + withinMs; seen.size < 2 && Date.now() < deadline; await sleep(100)) {
    const answers = await Promise.all(Array.from({ length: 32 }, ask))
    for (const { answer } of answers) seen.add(pidIn(answer))
  }
  return seen.size === 2
}

async function countsOf(app: RunningApp): Promise<{ inserts: number; selects: number }> {
  const { answer } = await app.ask('/process')
  // Our own fixture's answer: see consumers/cjs-express4/app.cjs.
  return answer as { inserts: number; selects: number }
}

function pidIn(answer: unknown): unknown {
  return typeof answer === 'object' && answer !== null && 'pid' in answer ? answer.pid : undefined
}

function count(file: string, table: string): number {
  using database = new DatabaseSync(file, { open: true, readOnly: true, timeout: 5_000 })
  return Number(database.prepare(`select count(*) as rows from ${table}`).get()?.rows)
}

function equal(actual: unknown, expected: unknown): void {
  const [seen, wanted] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (seen !== wanted) throw new Error(`the app answered ${seen}, not ${wanted}`)
}
