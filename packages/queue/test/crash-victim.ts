/** A process for `crash.test.ts` to kill: it writes rows, says which were accepted, and applies them. */
import { setTimeout as pause } from 'node:timers/promises'
import { createWriteBehind, kyselySink, type Sink } from '@stepladder/queue'
import { type Event, openPostgres, openSqlite } from './events-database.ts'

export interface VictimPlan {
  readonly name: string
  /** Redis, or the folder of the journal. */
  readonly redis?: string
  readonly directory?: string
  /** The URL of Postgres, or the file of SQLite. */
  readonly place: string
  /** Rows are named `<run>-<number>`. */
  readonly run: string
  readonly rows: number
  /** The control arm: rows are written by a sink that remembers nothing. */
  readonly withoutLedger?: boolean
  /** Ends itself without warning right after the database has this batch, before anybody notes it. */
  readonly dieAfterBatch?: number
}

void main(JSON.parse(process.argv[2]!) as VictimPlan)

async function main(plan: VictimPlan): Promise<void> {
  const { name, redis, directory, run, rows } = plan
  const queue = createWriteBehind<Event>({ name, redis, directory, sink: sinkOf(plan), maxBatchRows: 50 })
  let next = 0
  const writeSome = async () => {
    while (next < rows) {
      const number = next++
      // Told at once and by itself: what was accepted and not told is merely not checked.
      await queue.write({ id: `${run}-${number}`, value: number }).then(
        () => process.stdout.write(`accepted ${run}-${number}\n`),
        () => pause(50), // refused, which a busy machine may do
      )
      await pause(5)
    }
  }
  await Promise.all(Array.from({ length: 16 }, writeSome))
  await queue.flush()
  process.stdout.write('flushed\n')
  await queue.close()
  process.exit(0)
}

function sinkOf({ place, withoutLedger, dieAfterBatch }: VictimPlan): Sink<Event> {
  const database = place.startsWith('postgres') ? openPostgres(place) : openSqlite(place)
  const sink: Sink<Event> = withoutLedger
    ? async ({ rows }) => void (await database.insertInto('events').values(rows).execute())
    : kyselySink<Event>({ database, table: 'events' })
  let applied = 0
  return async (batch) => {
    const outcome = await sink(batch)
    if (++applied === dieAfterBatch) process.kill(process.pid, 'SIGKILL')
    return outcome
  }
}
