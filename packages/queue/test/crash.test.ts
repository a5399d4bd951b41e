import { join } from 'node:path'
import { sleep } from '@stepladder/core'
import {
  keyPrefix,
  type NodeProcess,
  seededRandom,
  seeds,
  sharedRedis,
  spawnNode,
} from '@stepladder/core/testing'
import { describe, expect, test } from 'vitest'
import type { VictimPlan } from './crash-victim.ts'
import { makeDatabase, tempFolder } from './set-up.ts'

const victimFile = join(process.cwd(), 'packages/queue/test/crash-victim.ts')

describe.each([
  { engine: 'the journal', database: 'sqlite' as const },
  { engine: 'BullMQ', database: 'postgres' as const },
])('on $engine, with $database behind it', ({ engine, database: kind }) => {
  test.each(seeds(1))(
    'five times kill -9 under load (seed %i): every accepted row is in the table exactly once',
    async (seed) => {
      const { database, place } = await makeDatabase(kind)
      const queue = await openQueue(engine)
      const random = seededRandom(seed)
      const accepted: string[] = []
      for (let kill = 1; kill <= 5; kill++) {
        await using victim = spawnVictim({ ...queue, place, run: `run${kill}`, rows: 5_000 })
        await victim.waitForOutput(/accepted/, 20_000)
        await sleep(100 + random() * 400)
        victim.kill()
        await victim.exited
        accepted.push(...acceptedBy(victim))
      }
      await using survivor = spawnVictim({ ...queue, place, run: 'last', rows: 200 })
      await survivor.waitForOutput(/flushed/, 40_000)
      accepted.push(...acceptedBy(survivor))

      const ids = (await database.selectFrom('events').select('id').execute()).map(({ id }) => id)
      expect(accepted.length).toBeGreaterThan(1_000)
      expect(ids.length, 'no row is there twice').toBe(new Set(ids).size)
      expect(missing(accepted, ids), 'no accepted row is missing').toEqual([])
    },
    120_000,
  )

  test('a process that dies between commit and note does no harm; without the ledger, rows are there twice', async () => {
    const [guarded, control] = await Promise.all([
      dieAfterCommit({ ...(await openQueue(engine)), withoutLedger: false }),
      dieAfterCommit({ ...(await openQueue(engine)), withoutLedger: true }),
    ])
    expect(guarded.missing).toEqual([])
    expect(guarded.duplicates).toBe(0)
    expect(control.missing).toEqual([])
    expect(control.duplicates).toBeGreaterThan(0)
  }, 60_000)

  async function dieAfterCommit(plan: Omit<VictimPlan, 'place' | 'run' | 'rows'>) {
    const { database, place } = await makeDatabase(kind)
    await using victim = spawnVictim({ ...plan, place, run: 'first', rows: 2_000, dieAfterBatch: 5 })
    await victim.exited
    await using survivor = spawnVictim({ ...plan, place, run: 'second', rows: 20 })
    await survivor.waitForOutput(/flushed/, 30_000)
    const ids = (await database.selectFrom('events').select('id').execute()).map(({ id }) => id)
    const accepted = [...acceptedBy(victim), ...acceptedBy(survivor)]
    return { missing: missing(accepted, ids), duplicates: ids.length - new Set(ids).size }
  }
})

async function openQueue(engine: string): Promise<Pick<VictimPlan, 'name' | 'redis' | 'directory'>> {
  const name = keyPrefix('events')
  return engine === 'BullMQ'
    ? { name, redis: (await sharedRedis()).url }
    : { name, directory: await tempFolder() }
}

function spawnVictim(plan: VictimPlan): NodeProcess {
  return spawnNode(victimFile, {
    args: [JSON.stringify(plan)],
    execArgv: ['--conditions=@stepladder/source', '--disable-warning=ExperimentalWarning'],
  })
}

function acceptedBy(victim: NodeProcess): string[] {
  // The last line may be cut in the middle.
  return [...victim.output.matchAll(/accepted (\S+)\n/g)].map(([, id]) => id!)
}

function missing(accepted: readonly string[], ids: readonly string[]): string[] {
  const there = new Set(ids)
  return accepted.filter((id) => !there.has(id))
}
