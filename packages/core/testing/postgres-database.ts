import { randomBytes } from 'node:crypto'
import type { Client } from 'pg'
import { sleep } from '../src/clock.ts'
import { MissingPackageError } from '../src/errors.ts'

/** Makes an empty database on the server of `url`: resolves to the new database's URL. Needs the package `pg`. */
export async function createDatabase(url: string, name: string = uniqueName()): Promise<string> {
  await withClient(url, (client) => client.query(`CREATE DATABASE "${name.replaceAll('"', '""')}"`))
  const created = new URL(url)
  created.pathname = `/${encodeURIComponent(name)}`
  return created.href
}

/**
 * Removes the database that `url` names, also while it has connections. Those that are ending have a second for that: a
 * client that is cut off in its last moment throws at whoever has let go of it already.
 */
export async function dropDatabase(serverUrl: string, url: string): Promise<void> {
  const name = decodeURIComponent(new URL(url).pathname.slice(1))
  await withClient(serverUrl, async (client) => {
    for (let look = 0; look < 100 && (await isInUse(client, name)); look++) await sleep(10)
    await client.query(`DROP DATABASE IF EXISTS "${name.replaceAll('"', '""')}" WITH (FORCE)`)
  })
}

async function isInUse(client: Client, name: string): Promise<boolean> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_stat_activity WHERE datname = $1 LIMIT 1', [name])
  return rowCount !== 0
}

function uniqueName(): string {
  return `stepladder_${process.pid}_${randomBytes(4).toString('hex')}`
}

async function withClient(url: string, task: (client: Client) => Promise<unknown>): Promise<void> {
  const { Client } = await import('pg').catch((cause: unknown) => {
    throw new MissingPackageError('createDatabase', 'pg', { cause })
  })
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  await client.connect()
  try {
    await task(client)
  } finally {
    await client.end()
  }
}
