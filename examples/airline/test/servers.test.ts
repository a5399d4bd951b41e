import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnNode, startPostgres, startRedis } from '@stepladder/core/testing'
import { Redis } from 'ioredis'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import type { Climb } from '../demo/climb-result.ts'
import { exampleFolder } from '../demo/rung.ts'

test('REDIS_URL and DATABASE_URL: the demo uses them, keeps its promises, and leaves nothing in them', async () => {
  await using redis = await startRedis()
  await using postgres = await startPostgres()
  const env = { REDIS_URL: `${redis.url}/3`, DATABASE_URL: postgres.url }

  const { code, output, climb } = await demo(env)

  expect(code, output).toBe(0)
  expect(climb?.stands).toBe('Postgres, Redis')
  const databases = await listDatabases(postgres.url)
  expect(databases).toEqual(['postgres'])
  expect(await countKeys(env.REDIS_URL)).toBe(0)
}, 90_000)

test('a Redis that holds something is refused, for the demo would empty it', async () => {
  await using redis = await startRedis()
  await using client = connect(redis.url)
  await client.redis.set('precious', '1')

  const { code, output } = await demo({ REDIS_URL: redis.url, DATABASE_URL: undefined })

  expect(code).toBe(1)
  expect(output).toContain('holds 1 keys')
  expect(await client.redis.get('precious')).toBe('1')
})

test('servers that do not answer are named', async () => {
  const nowhere = await demo({ REDIS_URL: 'redis://127.0.0.1:1', DATABASE_URL: undefined })
  expect(nowhere).toMatchObject({ code: 1 })
  expect(nowhere.output).toContain('Redis does not answer')

  const noDatabase = await demo({
    REDIS_URL: undefined,
    DATABASE_URL: 'postgres://postgres@127.0.0.1:1/postgres',
  })
  expect(noDatabase).toMatchObject({ code: 1 })
  expect(noDatabase.output).toContain('ECONNREFUSED')
}, 40_000)

interface Outcome {
  readonly code: number | null
  readonly output: string
  readonly climb: Climb | undefined
}

async function demo(env: Readonly<Record<string, string | undefined>>): Promise<Outcome> {
  const cwd = await mkdtemp(join(tmpdir(), 'airline-test-'))
  onTestFinished(() => rm(cwd, { recursive: true, force: true }))
  const child = spawnNode(join(exampleFolder, 'demo', 'climb.ts'), {
    args: ['--rungs', '5', '--seconds', '0.5', '--rate', '100', '--json', 'figures.json'],
    cwd,
    execArgv: ['--conditions=@stepladder/source'],
    env: { ...env, VITEST: undefined, NODE_ENV: undefined },
  })
  const { code } = await child.exited
  const json = await readFile(join(cwd, 'figures.json'), 'utf8').catch(() => undefined)
  return { code, output: child.output, climb: json === undefined ? undefined : JSON.parse(json) }
}

async function listDatabases(connectionString: string): Promise<string[]> {
  await using database = new Kysely<unknown>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString }) }),
  })
  const found = await sql<{
    datname: string
  }>`select datname from pg_database where not datistemplate`.execute(database)
  return found.rows.map(({ datname }) => datname)
}

async function countKeys(url: string): Promise<number> {
  await using client = connect(url)
  return await client.redis.dbsize()
}

function connect(url: string) {
  const redis = new Redis(url)
  return { redis, [Symbol.asyncDispose]: async () => redis.disconnect() }
}
