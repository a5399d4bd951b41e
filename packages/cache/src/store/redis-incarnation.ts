import { createHash } from 'node:crypto'
import { isRedisCluster, type RedisClient, redisMasters } from '@stepladder/core'

/**
 * Which server answers, and in which of its lives. One that was restarted, or took over from another, may hold
 * older data than was seen before: an invalidation may be missing. So each time a connection was made anew, whoever
 * wants something waits until that is settled:
 *
 *     unknown ──asked, settled──▶ known ──a connection closes, or the nodes change──▶ unknown
 */
export class RedisIncarnation {
  readonly #client: RedisClient
  readonly #settle: (incarnation: string) => Promise<void>
  readonly #onChange: () => void
  #known: string | undefined
  #asking: Promise<string> | undefined
  /** Counts what makes an answer that is still to come worthless. */
  #breaks = 0
  #last: string | undefined
  /** Who was asked. */
  #servers: readonly RedisClient[] = []

  /** `settle` is called before anybody hears of an incarnation; `onChange` when it is another than before. */
  constructor(client: RedisClient, settle: (incarnation: string) => Promise<void>, onChange: () => void) {
    this.#client = client
    this.#settle = settle
    this.#onChange = onChange
    const forget = () => this.#forget()
    client.on('close', forget)
    if (!isRedisCluster(client)) return
    const watch = (node: RedisClient) => {
      node.on('close', forget)
      forget()
    }
    redisMasters(client).forEach(watch)
    // ioredis gives this event the node, always.
    client.on('+node', (node) => watch(node as RedisClient))
    client.on('-node', forget)
  }

  /** Undefined while it has to be asked for. */
  get known(): string | undefined {
    // Who is promoted without a new connection is in no event.
    if (this.#known !== undefined && isRedisCluster(this.#client) && this.#isOfOthers()) this.#forget()
    return this.#known
  }

  /** Rejects when Redis does. */
  ask(): Promise<string> {
    const asking = this.#asking ?? this.#ask(this.#breaks)
    this.#asking = asking
    return asking
  }

  async #ask(breaks: number): Promise<string> {
    try {
      const incarnation = await this.#read()
      await this.#settle(incarnation)
      if (breaks !== this.#breaks)
        throw new Error('The connection to Redis broke while it was asked who it is')
      this.#known = incarnation
      if (this.#last !== undefined && this.#last !== incarnation) this.#onChange()
      this.#last = incarnation
      return incarnation
    } finally {
      if (breaks === this.#breaks) this.#asking = undefined
    }
  }

  async #read(): Promise<string> {
    this.#servers = redisMasters(this.#client)
    const lives = await Promise.all(this.#servers.map(readLife))
    return createHash('sha1').update(lives.sort().join()).digest('base64url').slice(0, 8)
  }

  #isOfOthers(): boolean {
    const servers = redisMasters(this.#client)
    return (
      servers.length !== this.#servers.length || servers.some((one, index) => one !== this.#servers[index])
    )
  }

  #forget(): void {
    this.#breaks += 1
    this.#known = undefined
    this.#asking = undefined
  }
}

/** New at each start of a server, and another on each replica. */
async function readLife(server: RedisClient): Promise<string> {
  try {
    const info = String(await server.call('info', 'server'))
    return /^run_id:(\w+)/m.exec(info)?.[1] ?? ''
  } catch (failure) {
    // A server that does not say who it is serves all the same: an older state of it goes unnoticed.
    if (failure instanceof Error && /^(NOPERM|ERR)/.test(failure.message)) return ''
    throw failure
  }
}
