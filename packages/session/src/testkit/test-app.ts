import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loadExpressSession } from '../store/load-express-session.ts'
import type { ExpressSessionStore, StoredSession } from './promised-store.ts'

export interface CookieOptions {
  readonly maxAge?: number | undefined
}

/** A session inside a request, as far as the kit's requests use it. */
export interface VisitedSession extends StoredSession {
  destroy(callback: (error?: unknown) => void): unknown
  regenerate(callback: (error?: unknown) => void): unknown
}

/** What a request does with its session; what it returns is the answer. */
export type Task = (session: VisitedSession, request: { session: VisitedSession }) => unknown

type Middleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/** A server with express-session on the store that is tested, whose requests do what the kit wants just then. */
export class TestApp {
  readonly url: string
  /** What express-session handed to the app as an error. */
  readonly errors: unknown[] = []
  readonly #server: Server
  readonly #tasks = new Map<string, Task>()

  static async start(store: ExpressSessionStore, cookie: CookieOptions = {}): Promise<TestApp> {
    const session = await loadExpressSession('testSessionStore')
    // Its types want Express's request and a store of its own class; a request of node:http is enough for it.
    const middleware = (session as unknown as (options: object) => Middleware)({
      ...{ secret: 'for tests only', resave: false, saveUninitialized: false, cookie, store },
    })
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new TestApp(server, middleware)
  }

  private constructor(server: Server, middleware: Middleware) {
    // A server that listens on a port has an address of this kind.
    const { port } = server.address() as AddressInfo
    this.url = `http://127.0.0.1:${port}`
    this.#server = server
    server.on('request', (request, response) =>
      middleware(request, response, (error) => {
        if (error !== undefined) this.#fail(response, error)
        else this.#perform(request, response).catch((failure: unknown) => this.#fail(response, failure))
      }),
    )
  }

  /** The path under which a request finds its task. */
  add(task: Task): string {
    const path = `/${this.#tasks.size}`
    this.#tasks.set(path, task)
    return path
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #perform(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const task = this.#tasks.get(request.url ?? '')
    // The middleware has put a session there.
    const visited = request as IncomingMessage & { session: VisitedSession }
    const answer = await task?.(visited.session, visited)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answer ?? null))
  }

  #fail(response: ServerResponse, error: unknown): void {
    this.errors.push(error)
    if (response.headersSent) {
      response.destroy()
      return
    }
    response.statusCode = 500
    response.end('null')
  }
}
