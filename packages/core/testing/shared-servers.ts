import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { ServerUnavailableError } from './errors.ts'
import { createDatabase, dropDatabase } from './postgres-database.ts'
import { startPostgres } from './postgres-server.ts'
import { startRedis } from './redis-server.ts'
import type { KeptServer } from './server-keeper.ts'

/** A Redis that every test of the run uses: put a `keyPrefix()` before each key, and flush nothing. */
export interface SharedRedis {
  readonly url: string
  readonly host: string
  readonly port: number
}

/** A Postgres that every test of the run uses: work in a database of your own. */
export interface SharedPostgres {
  /** Where databases are made; tests write into none but their own. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** Makes an empty database and resolves to its URL. Needs the package `pg`. */
  createDatabase(name?: string): Promise<string>
  /** Removes one: for tests that may run on a server which outlives them. */
  dropDatabase(url: string): Promise<void>
}

/**
 * The one Redis of this test run: the server at `REDIS_URL` where that is set, else one that the first who
 * asks has started. Tests that break their server start one with `startRedis()`.
 */
export async function sharedRedis(): Promise<SharedRedis> {
  const url = process.env.REDIS_URL || (await keptUrl('redis', startRedis))
  return { url, ...addressOf(url, 6379) }
}

/**
 * The one Postgres of this test run: the server at `DATABASE_URL` where that is set, else one that the first
 * who asks has started. Tests that break their server start one with `startPostgres()`.
 */
export async function sharedPostgres(): Promise<SharedPostgres> {
  const url = process.env.DATABASE_URL || (await keptUrl('postgres', startPostgres))
  return {
    url,
    ...addressOf(url, 5432),
    createDatabase: (name) => createDatabase(url, name),
    dropDatabase: (database) => dropDatabase(url, database),
  }
}

function addressOf(url: string, usualPort: number): { host: string; port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port || usualPort) }
}

/** Servers of this process, where no keeper serves the run. They end with it. */
const own = new Map<string, Promise<{ readonly url: string }>>()

async function keptUrl(kind: string, start: () => Promise<{ readonly url: string }>): Promise<string> {
  const keeperPort = Number(process.env.STEPLADDER_SERVERS)
  if (keeperPort > 0) return askKeeper(keeperPort, kind)
  const server = own.get(kind) ?? start()
  own.set(kind, server)
  return (await server).url
}

async function askKeeper(port: number, kind: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`${kind}\n`)
  // The keeper is ours, of the same version, in the process that runs this one.
  const answer = JSON.parse(await text(socket)) as KeptServer
  if ('url' in answer) return answer.url
  throw new ServerUnavailableError(kind, [answer.failure])
}
