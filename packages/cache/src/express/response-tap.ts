import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http'

/** Hears what a handler writes, before the client does. */
export interface TapListener {
  /** Once, before the headers go; `whole` is the body where it is known by then. */
  onHead(whole: Buffer | undefined): void
  onChunk(chunk: Buffer): void
  /** The handler is done. */
  onEnd(): void
  /** Headers and end are both on their way. */
  onSent(): void
  /** Runs what lies between this tap and the socket. */
  aside<T>(task: () => T): T
}

/**
 * `through`: all that is written goes on as it comes. `head`: the body is swallowed. `nothing`: headers and body are.
 */
export type Passing = 'through' | 'head' | 'nothing'

type Callback = (error?: Error | null) => void
type Chunk = string | Uint8Array

/** Stands between a handler and its response, on the response itself, so that `pipe`, `json` and `sendFile` all meet it. */
export class ResponseTap {
  passing: Passing = 'through'
  readonly #response: ServerResponse
  readonly #listener: TapListener
  readonly #inner: Pick<ServerResponse, 'write' | 'end' | 'writeHead' | 'flushHeaders'>
  #hasHead = false
  #isEnded = false
  #isSent = false
  #ended: Callback | undefined

  constructor(response: ServerResponse, listener: TapListener) {
    this.#response = response
    this.#listener = listener
    const { write, end, writeHead, flushHeaders } = response
    this.#inner = { write, end, writeHead, flushHeaders }
    // Their overloads say more than one signature can.
    response.writeHead = this.#writeHead.bind(this) as typeof writeHead
    response.write = this.#write.bind(this) as typeof write
    response.end = this.#end.bind(this) as typeof end
    response.flushHeaders = this.#flushHeaders.bind(this)
  }

  /** Leaves the response as it was; what comes from now on is not heard. */
  remove(): void {
    Object.assign(this.#response, this.#inner)
  }

  /** Sends what `nothing` kept back, or other things in its place, and lets go. */
  replaceWith(send: () => void): void {
    const { passing } = this
    this.passing = 'through'
    this.remove()
    if (this.#ended && passing === 'nothing') this.#response.once('finish', this.#ended)
    send()
  }

  #writeHead(status: number, ...rest: unknown[]): ServerResponse {
    if (this.#hasHead) return this.#passHead()
    const [reason, headers] = typeof rest[0] === 'string' ? rest : [undefined, rest[0] ?? rest[1]]
    this.#response.statusCode = status
    if (typeof reason === 'string') this.#response.statusMessage = reason
    // As Node's own signature has it.
    setHeaders(this.#response, headers as OutgoingHttpHeaders | readonly OutgoingHttpHeader[] | undefined)
    this.#tellHead(undefined)
    return this.#passHead()
  }

  #flushHeaders(): void {
    this.#tellHead(undefined)
    if (this.passing !== 'nothing') this.#pass(() => this.#inner.flushHeaders.call(this.#response))
  }

  #write(chunk: Chunk, encoding?: BufferEncoding | Callback, callback?: Callback): boolean {
    // For its handler it has ended, and what was kept back is still to be sent.
    if (this.#isEnded && this.passing === 'nothing') return false
    const bytes = this.#isEnded ? undefined : toBytes(chunk, encoding)
    // Nothing that a response takes: Node says so.
    if (bytes === undefined)
      return this.#inner.write.apply(this.#response, [chunk, encoding, callback] as never)
    this.#tellHead(undefined)
    // Before it is heard: that may send what was kept back, and this chunk with it.
    const { passing } = this
    this.#listener.onChunk(bytes)
    if (passing === 'through') {
      return this.#pass(() => this.#inner.write.apply(this.#response, [chunk, encoding, callback] as never))
    }
    const done = typeof encoding === 'function' ? encoding : callback
    if (done) process.nextTick(done)
    return true
  }

  #end(...args: unknown[]): ServerResponse {
    const done = args.find((arg) => typeof arg === 'function') as Callback | undefined // found by its type
    const [chunk, encoding] = args.filter((arg) => typeof arg !== 'function')
    const hasChunk = chunk !== undefined && chunk !== null
    const bytes = hasChunk ? toBytes(chunk, encoding) : Buffer.alloc(0)
    if (this.#isEnded && this.passing === 'nothing') return this.#response
    if (this.#isEnded || bytes === undefined) return this.#inner.end.apply(this.#response, args as never)
    this.#tellHead(bytes)
    const { passing } = this
    if (bytes.length > 0) this.#listener.onChunk(bytes)
    this.#isEnded = true
    this.#ended = done
    this.#listener.onEnd()
    if (this.passing !== 'nothing') this.#passEnd(passing === 'through' ? args : [done])
    this.#tellSent()
    return this.#response
  }

  #passEnd(rest: unknown[]): void {
    this.#pass(() => this.#inner.end.apply(this.#response, rest as never))
  }

  #passHead(): ServerResponse {
    if (this.passing === 'nothing') return this.#response
    const { statusCode, statusMessage } = this.#response
    const reason = statusMessage ? [statusMessage] : []
    this.#pass(() => this.#inner.writeHead.apply(this.#response, [statusCode, ...reason] as never))
    this.#tellSent()
    return this.#response
  }

  #pass<T>(task: () => T): T {
    return this.#listener.aside(task)
  }

  #tellHead(whole: Buffer | undefined): void {
    if (this.#hasHead) return
    this.#hasHead = true
    this.#listener.onHead(whole)
  }

  /** Middleware before this one may keep the end back for a while, and set a cookie then. */
  #tellSent(): void {
    if (this.#isSent || !this.#isEnded || !this.#response.headersSent) return
    this.#isSent = true
    this.#listener.onSent()
  }
}

/** A copy: whoever wrote it may use its memory again. Undefined for what cannot be written. */
function toBytes(chunk: unknown, encoding: unknown): Buffer | undefined {
  if (typeof chunk === 'string')
    return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
  return chunk instanceof Uint8Array ? Buffer.from(chunk) : undefined
}

/** What `writeHead` is given, as headers of the response, where they can be read: Node would send them and tell nobody. */
function setHeaders(
  response: ServerResponse,
  headers: OutgoingHttpHeaders | readonly OutgoingHttpHeader[] | undefined,
): void {
  if (!headers) return
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers))
      if (value !== undefined) response.setHeader(name, value)
    return
  }
  const flat: OutgoingHttpHeader[] = headers.flat()
  const pairs = Array.from(
    { length: flat.length / 2 },
    (_, at) => [String(flat[2 * at]), flat[2 * at + 1]!] as const,
  )
  for (const [name] of pairs) response.removeHeader(name)
  // A name may stand there more than once.
  for (const [name, value] of pairs) response.appendHeader(name, Array.isArray(value) ? value : String(value))
}
