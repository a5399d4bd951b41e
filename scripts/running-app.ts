import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const startTimeoutMs = 20_000
const stopTimeoutMs = 15_000

/** A server program of a consumer, started for real and spoken to over HTTP. */
export class RunningApp {
  readonly url: string
  readonly #child: ChildProcess
  #output = ''

  /** Starts `node ...args` in the folder and waits until it answers. It is given its port in `PORT`. */
  static async start(folder: string, node: string, args: readonly string[]): Promise<RunningApp> {
    const port = await freePort()
    const env = { ...process.env, PORT: String(port) }
    const child = spawn(node, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const app = new RunningApp(child, `http://127.0.0.1:${port}`)
    try {
      await app.#untilItAnswers()
      return app
    } catch (cause) {
      await app.stop()
      throw cause
    }
  }

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.url = url
    const keep = (chunk: Buffer) => {
      this.#output += chunk
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
  }

  async #untilItAnswers(): Promise<void> {
    const deadline = Date.now() + startTimeoutMs
    while (this.#child.exitCode === null && this.#child.signalCode === null && Date.now() < deadline) {
      const response = await fetch(`${this.url}/process`).catch(() => undefined)
      if (response?.ok) return
      await sleep(50)
    }
    throw new Error(`the app did not start:\n${this.#output}`)
  }

  /** The body of the answer, read as JSON if it says so; throws for a status of 500 and above. */
  async ask(path: string, { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {}) {
    const json = { 'Content-Type': 'application/json' }
    const sent =
      body === undefined
        ? { headers }
        : { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(body) }
    const response = await fetch(this.url + path, sent)
    const text = await response.text()
    if (response.status >= 500) throw new Error(`${path}: ${response.status} ${text}\n${this.#output}`)
    const isJson = response.headers.get('content-type')?.startsWith('application/json')
    const answer: unknown = isJson ? JSON.parse(text) : text
    return { status: response.status, headers: response.headers, answer }
  }

  /** Ends the app as a deploy would, and for certain. */
  async stop(): Promise<void> {
    const child = this.#child
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
    await exited
    clearTimeout(late)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('a listening server has a port')
  return address.port
}
