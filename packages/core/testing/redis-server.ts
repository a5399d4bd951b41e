import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onFreePort } from './free-port.ts'
import type { Program } from './program.ts'
import { findRedis } from './programs.ts'
import { askRedis } from './redis-command.ts'
import { ServerProcess, stopAndThrow } from './server-process.ts'
import { makeTempFolder, sweepTempFolders } from './temp-folder.ts'

export interface StartRedisOptions {
  /** Every change is in a file before it is acknowledged, so that `kill` loses none. Default false. */
  readonly appendonly?: boolean | undefined
  /** Lines of redis.conf, such as `{ 'maxmemory-policy': 'noeviction' }`; they win over our own. */
  readonly config?: Readonly<Record<string, string>> | undefined
}

/**
 * Starts a Redis of the caller's own on a free loopback port, from the PATH or fetched once.
 * It ends with this process, whatever ends that. Rejects with `ServerUnavailableError` or `ServerStartError`.
 */
export function startRedis({
  appendonly = false,
  config = {},
}: StartRedisOptions = {}): Promise<RedisServer> {
  const kept = appendonly ? { appendonly: 'yes', appendfsync: 'always' } : { appendonly: 'no' }
  return launchRedis({ config: { ...kept, ...config } })
}

export interface LaunchRedisOptions {
  readonly config: Readonly<Record<string, string>>
  /** Distances from its port at which ports must be free as well. */
  readonly alsoFree?: readonly number[]
  readonly isSentinel?: boolean
}

/** `startRedis` for every kind of server: members of a cluster and sentinels too. */
export async function launchRedis({
  config,
  alsoFree,
  isSentinel = false,
}: LaunchRedisOptions): Promise<RedisServer> {
  const program = await findRedis()
  await sweepTempFolders()
  return onFreePort(async (port) => {
    const folder = await makeTempFolder('redis')
    const server = new RedisServer(program, { folder, port, config, isSentinel })
    await server.restart().catch(stopAndThrow(server))
    return server
  }, alsoFree)
}

interface RedisPlace {
  readonly folder: string
  readonly port: number
  readonly config: Readonly<Record<string, string>>
  readonly isSentinel: boolean
}

/** A Redis that tests may break. It stays at one address all its life. */
export class RedisServer implements AsyncDisposable {
  readonly host = '127.0.0.1'
  readonly port: number
  /** `redis://127.0.0.1:<port>` */
  readonly url: string
  readonly #program: Program
  readonly #place: RedisPlace
  #process: ServerProcess | undefined

  /** Not for callers: `startRedis()` makes one. */
  constructor(program: Program, place: RedisPlace) {
    this.port = place.port
    this.url = `redis://${this.host}:${place.port}`
    this.#program = program
    this.#place = place
  }

  /** Undefined while the server is down. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Stops the process where it stands: connections stay open and nothing is answered. */
  async freeze(): Promise<void> {
    await this.#process?.freeze()
  }

  /** Ends `freeze`: what was sent meanwhile is answered now. */
  async thaw(): Promise<void> {
    await this.#process?.thaw()
  }

  /** Ends the server without warning; what is in no append-only file is lost. */
  async kill(): Promise<void> {
    await this.#process?.kill()
    this.#process = undefined
  }

  /**
   * Starts the server again at the same address, ending it first if it runs. A running server saves its data
   * before it ends; after `kill`, and out of `freeze`, there is what its append-only file holds.
   * With `empty`, its data is gone.
   */
  async restart({ empty = false }: { readonly empty?: boolean } = {}): Promise<void> {
    const { folder, port } = this.#place
    if (!empty && this.#process && !this.#process.isFrozen) {
      // Redis closes the connection in place of an answer.
      await askRedis(port, ['SHUTDOWN', 'SAVE'], 10_000).catch(() => {})
    }
    await this.kill()
    if (empty) await rm(join(folder, 'data'), { recursive: true, force: true })
    await this.#start()
  }

  /** Ends the server for good and removes its files. May be called twice. */
  async stop(): Promise<void> {
    await this.kill()
    await rm(this.#place.folder, { recursive: true, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #start(): Promise<void> {
    const { folder, port, isSentinel } = this.#place
    const config = await this.#writeConfig()
    const args = isSentinel ? [config, '--sentinel'] : [config]
    this.#process = new ServerProcess(this.#program.path, args, {
      env: this.#program.env,
      log: join(folder, 'log'),
    })
    await this.#process.whenReady(`Redis on port ${port}`, async ({ pid }) => {
      // Not merely an answer: another server may have been faster to take the port.
      const info = await askRedis(port, ['INFO', 'server'])
      if (!String(info).includes(`process_id:${pid}\r`)) throw new Error(`port ${port} is another server's`)
    })
  }

  /** Only once: a server in a cluster and a sentinel keep what they learn in their files. */
  async #writeConfig(): Promise<string> {
    const { folder, port, config } = this.#place
    const data = join(folder, 'data')
    await mkdir(data, { recursive: true })
    const all = { port, bind: this.host, 'protected-mode': 'no', dir: `"${data}"`, save: '""', ...config }
    const path = join(data, 'redis.conf')
    const lines = Object.entries(all).map(([name, value]) => `${name} ${value}\n`)
    await writeFile(path, lines.join(''), { flag: 'wx' }).catch(unlessItExists)
    return path
  }
}

function unlessItExists(failure: NodeJS.ErrnoException): void {
  if (failure.code !== 'EEXIST') throw failure
}
