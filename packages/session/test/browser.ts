/** What a browser does with one cookie. */
export class Browser {
  readonly #url: string
  cookie = ''

  constructor(url: string, cookie = '') {
    this.#url = url
    this.cookie = cookie
  }

  /** Asks, and keeps the cookie that comes with the answer. Rejects when there is none within `ms`. */
  async ask(method: 'GET' | 'POST', path: string, ms = 10_000): Promise<Response> {
    const response = await fetch(this.#url + path, {
      method,
      headers: this.cookie ? { cookie: this.cookie } : {},
      signal: AbortSignal.timeout(ms),
    })
    this.cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? this.cookie
    return response
  }

  async post(path: string): Promise<number> {
    const response = await this.ask('POST', path)
    await response.arrayBuffer()
    return response.status
  }

  /** The session that the server finds for this cookie. */
  async session(): Promise<Record<string, unknown>> {
    const response = await this.ask('GET', '/session')
    // The route answers with the session, which is an object.
    return (await response.json()) as Record<string, unknown>
  }

  /** The id that the cookie carries. */
  get sessionId(): string {
    return /s:([^.]+)\./.exec(decodeURIComponent(this.cookie))?.[1] ?? ''
  }
}
