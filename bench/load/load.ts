import { Agent } from 'node:http'
import { sleep } from '@stepladder/core'
import { type Failure, type Request, request, type Target } from './request.ts'

export interface LoadShape {
  readonly path: string
  /** Keep-alive connections, each of which sends its next request when the last is answered. Default none. */
  readonly keepAlive?: number
  /** So many requests at once every 20 ms, each on a new connection. Default none. */
  readonly burst?: number
}

export interface LoadResult {
  readonly answered: number
  readonly failed: readonly FailedRequest[]
}

export interface FailedRequest extends Request {
  readonly failure: Failure
}

const burstEveryMs = 20

/** Clients that ask without pause, from construction until `stop`. */
export class Load {
  readonly #shape: LoadShape
  readonly #agent: Agent
  readonly #clients: Promise<void>
  readonly #failed: FailedRequest[] = []
  #answered = 0
  #isOver = false

  constructor(port: number, shape: LoadShape) {
    const { path, keepAlive = 0, burst = 0 } = shape
    this.#shape = shape
    this.#agent = new Agent({ keepAlive: true, maxSockets: Math.max(1, keepAlive) })
    const clients = Array.from({ length: keepAlive }, () => this.#askOn({ port, path, agent: this.#agent }))
    if (burst > 0) clients.push(this.#burstOn({ port, path }))
    this.#clients = Promise.all(clients).then(() => {})
  }

  /** Sends no more; resolves when what was sent has ended in some way. */
  async stop(): Promise<LoadResult> {
    this.#isOver = true
    await this.#clients
    this.#agent.destroy()
    return { answered: this.#answered, failed: this.#failed }
  }

  async #askOn(target: Target): Promise<void> {
    while (!this.#isOver) {
      // Without the pause a closed port would be asked, and counted, as often as the machine can.
      if (!(await this.#ask(target))) await sleep(burstEveryMs)
    }
  }

  async #burstOn(target: Target): Promise<void> {
    const asked: Promise<boolean>[] = []
    while (!this.#isOver) {
      for (let sent = 0; sent < this.#shape.burst!; sent++) asked.push(this.#ask(target))
      await sleep(burstEveryMs)
    }
    await Promise.all(asked)
  }

  async #ask(target: Target): Promise<boolean> {
    const { failure, ...asked } = await request(target)
    if (failure) this.#failed.push({ ...asked, failure })
    else this.#answered++
    return !failure
  }
}

/** Runs `work` under load, and half a second before and after it. */
export async function underLoad(
  port: number,
  shape: LoadShape,
  work: () => Promise<unknown>,
): Promise<LoadResult> {
  const load = new Load(port, shape)
  try {
    await sleep(500)
    await work()
    await sleep(500)
  } finally {
    await load.stop()
  }
  return load.stop()
}
