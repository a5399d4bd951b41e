import { once } from 'node:events'
import { RecordedReports } from '@stepladder/core/testing'
import { createSessions, type Session, type SessionsOptions } from '@stepladder/session'
import { type SessionsHandler, sessions } from '@stepladder/session/express'
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express'
import { type RunningServer, serve } from './http.ts'
import { watchedMemory } from './watched-memory.ts'

/** Fields that the tests invent. */
export type Data = Record<string, unknown>
export type Handler = (session: Session<Data>, response: Response, request: Request) => unknown

export interface HeldAppOptions extends Partial<SessionsOptions> {
  /** Middleware on either side of the sessions. */
  readonly outer?: readonly RequestHandler[]
  readonly inner?: readonly RequestHandler[]
}

/** An Express app whose handler each test writes, on a memory whose writes can be held up and refused. */
export class HeldApp {
  /** What happened, in order: `write` when the store was asked to, `saved`, and what the tests add. */
  readonly events: string[] = []
  /** What reached the app's error handler. */
  readonly errors: unknown[] = []
  readonly reports = new RecordedReports()
  /** What the store does before it writes. */
  beforeWrite: () => Promise<void> | void = () => {}
  handler: Handler = (_session, response) => response.end()
  onError: (error: unknown, response: Response, next: NextFunction) => void = answerError
  readonly handle: SessionsHandler<Data>
  readonly #server: RunningServer

  private constructor(handle: SessionsHandler<Data>, server: RunningServer) {
    this.handle = handle
    this.#server = server
  }

  static async start({ outer = [], inner = [], ...options }: HeldAppOptions = {}): Promise<HeldApp> {
    const backend = watchedMemory(async () => {
      self.events.push('write')
      await self.beforeWrite()
      self.events.push('saved')
    })
    const report: SessionsOptions['report'] = (report) => self.reports.report(report)
    const opened = createSessions<Data>({ secret: 'for tests only', backend, report, ...options })
    const handle = sessions(opened)
    const app = express()
    for (const each of [...outer, handle, ...inner]) app.use(each)
    app.use('/login/:user', (request, response) => {
      handle.get(request).user = request.params.user
      response.end()
    })
    app.use((request, response, next) => {
      // Express 4 leaves what an async handler rejects with to the app.
      const ran = (async () => self.handler(handle.get(request), response, request))()
      ran.catch(next)
    })
    app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
      self.errors.push(error)
      self.onError(error, response, next)
    })
    const self: HeldApp = new HeldApp(handle, await serve(app))
    return self
  }

  get url(): string {
    return `${this.#server.url}/`
  }

  get port(): number {
    return this.#server.port
  }

  /** The store's writes wait until what this returns is called. */
  stall(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.beforeWrite = () => promise
    return resolve
  }

  refuse(): void {
    this.beforeWrite = () => Promise.reject(new Error('refused'))
  }

  async close(): Promise<void> {
    await this.#server.close()
    await this.handle.sessions.close()
  }
}

function answerError(error: unknown, response: Response, next: NextFunction): void {
  // Errors of ours that have a status bring it.
  const { status = 500, code = '' } = error as { status?: number; code?: string }
  if (response.headersSent) next(error)
  else response.status(status).json({ code })
}

/** Resolves when the app has ended the response. */
export async function ended(response: Response): Promise<void> {
  if (!response.closed) await once(response, 'close')
}
