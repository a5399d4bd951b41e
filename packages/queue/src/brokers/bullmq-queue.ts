import {
  duplicateRedis,
  MissingPackageError,
  openRedis,
  type RedisClient,
  type RedisOption,
} from '@stepladder/core'
import type { ConnectionOptions, Processor, Queue, Worker } from 'bullmq'
import { QueueClosedError } from '../errors.ts'

/** A command that takes longer fails; the batch is then handed over again, under the same name. */
const commandTimeoutMs = 240

/** BullMQ's own patience for a connection of a worker: every command waits until Redis is back. */
const workerSettings = {
  lazyConnect: false,
  enableOfflineQueue: true,
  enableAutoPipelining: false,
  autoResendUnfulfilledCommands: true,
  maxRetriesPerRequest: null,
  commandTimeout: undefined,
}

export interface QueueConnectionOptions {
  readonly name: string
  readonly redis: RedisOption
  readonly onError: (failure: unknown) => void
}

/** The connections of one queue, and what BullMQ builds upon them. */
export class QueueConnection {
  readonly #options: QueueConnectionOptions
  #opening: Promise<void> | undefined
  #client: Promise<RedisClient> | undefined
  #queue: Promise<Queue> | undefined
  #workerClient: RedisClient | undefined
  #isClosed = false

  constructor(options: QueueConnectionOptions) {
    this.#options = options
  }

  /**
   * Resolves when the packages are loaded and Redis was tried for the first time, however that ended.
   * Rejects with `MissingPackageError`.
   */
  opened(): Promise<void> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  /**
   * The queue, ready to be asked; rejects while Redis is away. It must not be built before: BullMQ keeps the
   * failure of its first command for good, and adds what it was given meanwhile whenever Redis appears.
   */
  async queue(): Promise<Queue> {
    const client = await this.#connected()
    if (client.status !== 'ready') throw new Error(`Redis is not connected (${client.status})`)
    this.#queue ??= this.#openQueue(client).catch((failure) => {
      this.#queue = undefined
      throw failure
    })
    return this.#queue
  }

  /**
   * Starts a worker that takes one job at a time. Its lock is short, so that the job of a killed worker is
   * taken up by another within about ten seconds; and no number of such accidents makes a job fail.
   */
  async startWorker(process: Processor): Promise<Worker> {
    await this.queue() // where the global limit of one job at a time is set
    const { name, onError } = this.#options
    const { Worker } = await importBullmq()
    const client = await this.#connected()
    if (this.#isClosed) throw new QueueClosedError(name)
    this.#workerClient = duplicateRedis(client, workerSettings)
    // ioredis gives this event an Error, always.
    this.#workerClient.on('error', (error) => onError(error as Error))
    const worker = new Worker(name, process, {
      connection: asConnection(this.#workerClient),
      prefix: prefixOf(name),
      concurrency: 1,
      lockDuration: 5_000,
      stalledInterval: 2_000,
      maxStalledCount: 1_000_000_000,
      runRetryDelay: 500,
      drainDelay: 2,
      removeOnComplete: { count: 0 },
    })
    worker.on('error', onError)
    return worker
  }

  /** Lets go of the connections, which ends whatever still waits for an answer. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#workerClient?.disconnect()
    const client = await this.#client?.catch(() => undefined)
    client?.disconnect()
  }

  async #open(): Promise<void> {
    await importBullmq()
    await this.#connected()
    await this.queue().catch(this.#options.onError)
  }

  #connected(): Promise<RedisClient> {
    const { redis, name, onError } = this.#options
    this.#client ??= openRedis(redis, { owner: `queue "${name}"`, commandTimeoutMs, onError })
    return this.#client
  }

  async #openQueue(client: RedisClient): Promise<Queue> {
    const { name, onError } = this.#options
    const { Queue } = await importBullmq()
    const queue = new Queue(name, {
      connection: asConnection(client),
      prefix: prefixOf(name),
      streams: { events: { maxLen: 100 } },
    })
    queue.on('error', onError)
    await queue.waitUntilReady()
    // One batch at a time among all processes is what keeps the order. Redis may come back without it.
    await queue.setGlobalConcurrency(1)
    client.on('ready', () => void queue.setGlobalConcurrency(1).catch(onError))
    return queue
  }
}

/** All keys of a queue in one slot of a cluster, under a version that a later format can leave. */
function prefixOf(name: string): string {
  return `{stepladder:queue:v1:${name}}`
}

function asConnection(client: RedisClient): ConnectionOptions {
  // It came from ioredis, which BullMQ knows by its methods; our port names only those that core calls.
  return client as unknown as ConnectionOptions
}

async function importBullmq(): Promise<typeof import('bullmq')> {
  return import('bullmq').catch((cause: unknown) => {
    throw new MissingPackageError('A queue on Redis', 'bullmq', { cause })
  })
}
