import { randomBytes } from 'node:crypto'
import { MissingPackageError } from '../src/errors.ts'

/** Makes an empty database on the server of `url`: resolves to the new database's URL. Needs the package `pg`. */
export async function createDatabase(url: string, name: string = uniqueName()): Promise<string> {
  await execute(url, `CREATE DATABASE "${name.replaceAll('"', '""')}"`)
  const created = new URL(url)
  created.pathname = `/${encodeURIComponent(name)}`
  return created.href
}

/** Removes the database that `url` names, also while it has connections. */
export async function dropDatabase(serverUrl: string, url: string): Promise<void> {
  const name = decodeURIComponent(new URL(url).pathname.slice(1))
  await execute(serverUrl, `DROP DATABASE IF EXISTS "${name.replaceAll('"', '""')}" WITH (FORCE)`)
}

function uniqueName(): string {
  return `stepladder_${process.pid}_${randomBytes(4).toString('hex')}`
}

async function execute(url: string, sql: string): Promise<void> {
  const { Client } = await import('pg').catch((cause: unknown) => {
    throw new MissingPackageError('createDatabase', 'pg', { cause })
  })
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
