import { fileURLToPath } from 'node:url'
import { type NodeProcess, spawnNode } from '@stepladder/core/testing'

/** What keeps the sessions: its name in the figures, and in `apps/session-layers.cjs`. */
export interface Layer {
  readonly name: string
  readonly layer: string
}

export const ours: Layer = { name: 'our middleware', layer: 'ours' }
export const near: Layer = { name: 'our middleware, near cache', layer: 'near' }
export const anonymous: Layer = { name: "our middleware, onOutage 'anonymous'", layer: 'anonymous' }
export const ourStore: Layer = { name: 'our store under express-session', layer: 'store' }
export const none: Layer = { name: 'no session', layer: 'none' }
export const bareGet: Layer = { name: 'bare GET and JSON.parse', layer: 'bare' }
export const memoryStore: Layer = { name: 'express-session, MemoryStore', layer: 'memory' }
export const connectRedis10: Layer = { name: 'connect-redis 10, node-redis', layer: 'connect-redis 10' }
export const connectRedis8: Layer = { name: 'connect-redis 8.1, ioredis', layer: 'connect-redis 8.1' }
export const connectPgSimple: Layer = { name: 'connect-pg-simple', layer: 'connect-pg-simple' }

/** The servers that sessions are kept in. */
export interface Places {
  readonly redis: string
  readonly postgres: string
}

/** An Express app with sessions, in a process of its own. */
export class SessionServer implements AsyncDisposable {
  readonly name: string
  readonly port: number
  readonly #process: NodeProcess

  static async start({ name, layer }: Layer, { redis, postgres }: Places): Promise<SessionServer> {
    const file = fileURLToPath(new URL('../apps/sessions.cjs', import.meta.url))
    const env = { NODE_ENV: 'production', LAYER: layer, REDIS: redis, POSTGRES: postgres }
    const process = spawnNode(file, { env })
    const [, port] = await process.waitForOutput(/port (\d+)/)
    return new SessionServer(name, Number(port), process)
  }

  /** Not for callers: `start()` makes one. */
  constructor(name: string, port: number, process: NodeProcess) {
    this.name = name
    this.port = port
    this.#process = process
  }

  get pid(): number {
    return this.#process.pid
  }

  /** Answers with the status, the cookie that was set, if any, and the body; undefined when none came within 6 s. */
  async ask(path: string, cookie?: string): Promise<Answer | undefined> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
        headers: cookie ? { cookie } : {},
        signal: AbortSignal.timeout(neverMs),
      })
      const set = response.headers.getSetCookie().map((line) => line.split(';')[0]!)
      return { status: response.status, cookie: set.at(-1), body: await response.text() }
    } catch {
      return undefined
    }
  }

  /** Logs a user in, and resolves to the cookie. */
  async login(user: string): Promise<string> {
    const answer = await this.ask(`/login/${user}`)
    if (answer?.status !== 200) throw new Error(`${this.name} logs nobody in: ${answer?.body}`)
    // Where nothing keeps sessions, one is as good as another.
    return answer.cookie ?? 'session=none'
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill()
    await this.#process.exited
  }
}

export interface Answer {
  readonly status: number
  readonly cookie: string | undefined
  readonly body: string
}

/** Who has not answered by then never does. */
const neverMs = 6_000

/** Servers of all these layers, one of each. */
export async function startServers(layers: readonly Layer[], places: Places) {
  const started = new AsyncDisposableStack()
  const servers: SessionServer[] = []
  try {
    // One after the other: what starts beside something else may be late.
    for (const layer of layers) servers.push(started.use(await SessionServer.start(layer, places)))
  } catch (cause) {
    await started.disposeAsync()
    throw cause
  }
  return { servers, [Symbol.asyncDispose]: () => started.disposeAsync() }
}
