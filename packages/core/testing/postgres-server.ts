import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { onFreePort } from './free-port.ts'
import { createDatabase } from './postgres-database.ts'
import { fillDataFolder } from './postgres-template.ts'
import type { PostgresPrograms } from './program.ts'
import { findPostgres } from './programs.ts'
import { ServerProcess, stopAndThrow } from './server-process.ts'
import { serverUser } from './server-user.ts'
import { makeTempFolder, sweepTempFolders } from './temp-folder.ts'

export interface StartPostgresOptions {
  /** Settings of postgresql.conf, such as `{ max_connections: '20' }`; they win over our own. */
  readonly config?: Readonly<Record<string, string>> | undefined
}

/**
 * Starts a Postgres of the caller's own on a free loopback port, from the PATH or fetched once. User
 * `postgres`, no password. It ends with this process, whatever ends that. What it acknowledged survives
 * `kill`, yet not a power cut. Rejects with `ServerUnavailableError` or `ServerStartError`.
 */
export async function startPostgres({ config = {} }: StartPostgresOptions = {}): Promise<PostgresServer> {
  const programs = await findPostgres()
  await sweepTempFolders()
  return onFreePort(async (port) => {
    const server = new PostgresServer(programs, { folder: await makeTempFolder('postgres'), port, config })
    await server.restart().catch(stopAndThrow(server))
    return server
  })
}

interface PostgresPlace {
  readonly folder: string
  readonly port: number
  readonly config: Readonly<Record<string, string>>
}

/** A Postgres that tests may break. It stays at one address all its life. */
export class PostgresServer implements AsyncDisposable {
  readonly host = '127.0.0.1'
  readonly port: number
  /** The URL of the database `postgres`, which nobody has written to. */
  readonly url: string
  readonly #programs: PostgresPrograms
  readonly #place: PostgresPlace
  #process: ServerProcess | undefined

  /** Not for callers: `startPostgres()` makes one. */
  constructor(programs: PostgresPrograms, place: PostgresPlace) {
    this.port = place.port
    this.url = `postgres://postgres@${this.host}:${place.port}/postgres`
    this.#programs = programs
    this.#place = place
  }

  /** Undefined while the server is down. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Makes an empty database and resolves to its URL. Needs the package `pg`. */
  createDatabase(name?: string): Promise<string> {
    return createDatabase(this.url, name)
  }

  /** Stops all its processes where they stand: connections stay open and nothing is answered. */
  async freeze(): Promise<void> {
    await this.#process?.freeze()
  }

  /** Ends `freeze`: what was sent meanwhile is answered now. */
  async thaw(): Promise<void> {
    await this.#process?.thaw()
  }

  /** Ends the server without warning. What it acknowledged is there again after `restart`. */
  async kill(): Promise<void> {
    await this.#process?.kill()
    this.#process = undefined
  }

  /** Starts the server again at the same address, ending it first if it runs. With `empty`, its data is gone. */
  async restart({ empty = false }: { readonly empty?: boolean } = {}): Promise<void> {
    await this.#end()
    const data = join(this.#place.folder, 'data')
    if (empty) await rm(data, { recursive: true, force: true })
    await fillDataFolder(data, this.#programs)
    await this.#start(data)
  }

  /** Ends the server for good and removes its files. May be called twice. */
  async stop(): Promise<void> {
    await this.#end()
    await rm(this.#place.folder, { recursive: true, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** SIGQUIT, "immediate shutdown": as fast as `kill`, and gives its shared memory back. */
  async #end(): Promise<void> {
    await this.#process?.end('SIGQUIT', 5_000)
    this.#process = undefined
  }

  async #start(data: string): Promise<void> {
    const { folder, port, config } = this.#place
    const all = { ...ownConfig, port, listen_addresses: this.host, ...config }
    const settings = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    this.#process = new ServerProcess(this.#programs.postgres, ['-D', data, ...settings], {
      env: { ...this.#programs.env, LC_ALL: 'C', TZ: 'UTC' },
      log: join(folder, 'log'),
      user: serverUser(),
      lastSignal: 'QUIT',
    })
    await this.#process.whenReady(`Postgres on port ${port}`, async ({ pid }) => {
      const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')
      // The eighth line is its state; a file left by an earlier life names another process.
      if (Number(lines[0]) !== pid || lines[7]?.trim() !== 'ready') throw new Error('it is starting')
    })
  }
}

/** Nothing that changes what SQL answers: only where it listens, and no waiting for the disk. */
const ownConfig = { unix_socket_directories: '', fsync: 'off', timezone: 'UTC' }
