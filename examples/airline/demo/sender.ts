import type { IncomingHttpHeaders } from 'node:http'
import { type Dispatcher, Pool } from 'undici'
import type { Answer, Visit } from './visit.ts'

const nothing: Answer = { status: 0, text: '' }

/** Sends visits over kept-alive connections, at most `connections` at a time, and gives up on one in time. */
export class Sender {
  readonly #pool: Pool
  readonly #connections: number
  /** Those under way, the oldest first. */
  readonly #underWay = new Set<Exchange>()
  readonly #sweep: NodeJS.Timeout

  constructor(origin: string, connections: number) {
    this.#connections = connections
    this.#pool = new Pool(origin, {
      connections,
      pipelining: 1,
      keepAliveTimeout: 30_000,
      // One sweep for all is cheaper than two timers for each.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    this.#sweep = setInterval(() => this.#giveUpLate(), 20)
  }

  get underWay(): number {
    return this.#underWay.size
  }

  /**
   * Opens all connections before the load begins. An overloaded Node.js accepts one new connection per turn
   * of its loop, so that visitors on late ones would wait for ever beside others that are served at once.
   */
  async connect(): Promise<void> {
    const look: Visit = { kind: 'see cart', method: 'GET', path: '/cart' }
    const looks = Array.from({ length: this.#connections }, () => this.send(look, performance.now() + 5_000))
    await Promise.all(looks)
  }

  /** Never rejects. `giveUpAt` is on the clock of `performance.now()`. */
  send(visit: Visit, giveUpAt: number): Promise<Answer> {
    return new Promise((resolve) => {
      const exchange = new Exchange(visit, giveUpAt, (answer) => {
        this.#underWay.delete(exchange)
        visit.settle?.(answer)
        resolve(answer)
      })
      this.#underWay.add(exchange)
      const headers: Record<string, string> = {}
      if (visit.body !== undefined) headers['content-type'] = 'application/json'
      if (visit.customer?.cookie !== undefined) headers.cookie = visit.customer.cookie
      this.#pool.dispatch(
        { method: visit.method, path: visit.path, headers, body: visit.body ?? null },
        exchange,
      )
    })
  }

  /** Cuts what is under way. */
  async close(): Promise<void> {
    clearInterval(this.#sweep)
    for (const exchange of this.#underWay) exchange.giveUp()
    await this.#pool.destroy()
  }

  #giveUpLate(): void {
    const now = performance.now()
    for (const exchange of this.#underWay) {
      if (exchange.giveUpAt > now) return
      exchange.giveUp()
    }
  }
}

/** One request and what becomes of it, as undici tells it. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly giveUpAt: number
  readonly #visit: Visit
  readonly #settle: (answer: Answer) => void
  #controller: Dispatcher.DispatchController | undefined
  #isSettled = false
  #status = 0
  #text = ''

  constructor(visit: Visit, giveUpAt: number, settle: (answer: Answer) => void) {
    this.#visit = visit
    this.giveUpAt = giveUpAt
    this.#settle = settle
  }

  giveUp(): void {
    this.#end(nothing)
    this.#controller?.abort(new Error('too late'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isSettled) controller.abort(new Error('too late'))
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status
    this.#visit.customer?.takeCookie(headers['set-cookie'])
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#visit.keepsText) this.#text += chunk.toString()
  }

  onResponseEnd(): void {
    this.#end({ status: this.#status, text: this.#text })
  }

  onResponseError(): void {
    this.#end(nothing)
  }

  #end(answer: Answer): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#settle(answer)
  }
}
