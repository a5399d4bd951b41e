import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/**
 * A keep-alive connection that costs little to drive, so that what is measured beside it is the server. It
 * reads the first answer and takes the later ones, which must be as long, by counting their bytes.
 */
export class WireConnection {
  /** The pid of the worker that answers here. */
  readonly worker: number
  readonly #socket: Socket
  readonly #question: string
  readonly #answerBytes: number
  #missing = 0
  #answered: { resolve: () => void; reject: (cause: Error) => void } | undefined

  static async open(
    port: number,
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<WireConnection> {
    const socket = connect(port, '127.0.0.1').setNoDelay(true)
    const lines = Object.entries({ Host: 'bench', ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    )
    const question = `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
    socket.write(question)
    const answer = await readAnswer(socket)
    return new WireConnection(socket, question, answer)
  }

  /** Not for callers: `open()` makes one. */
  constructor(socket: Socket, question: string, answer: string) {
    this.worker = workerOf(answer)
    this.#socket = socket
    this.#question = question
    this.#answerBytes = Buffer.byteLength(answer)
    socket.on('data', (bytes: Buffer) => this.#hear(bytes))
    const fail = () => this.#answered?.reject(new Error('the server closed a connection that was in use'))
    socket.on('close', fail).on('error', fail)
  }

  /** Asks once more; resolves when the answer is there. */
  ask(): Promise<void> {
    this.#missing = this.#answerBytes
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error('the server closed a connection that was idle'))
      this.#answered = { resolve, reject }
      this.#socket.write(this.#question)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #hear(bytes: Buffer): void {
    this.#missing -= bytes.length
    if (this.#missing === 0) this.#answered?.resolve()
    if (this.#missing < 0) this.#answered?.reject(new Error('an answer was longer than the first'))
  }
}

/** Asks over a connection of its own; resolves with the pid of the worker that answered. */
export async function askOnce(port: number, path: string): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  socket.end(`GET ${path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n`)
  const answer = await readAnswer(socket)
  await once(socket, 'close')
  return workerOf(answer)
}

/** Lets `clients` of them ask at a time, each again when it was answered, until that many were answered. */
export async function askInAll(requests: number, clients: number, ask: (client: number) => Promise<unknown>) {
  let left = requests
  const client = async (_: unknown, index: number) => {
    while (left-- > 0) await ask(index)
  }
  await Promise.all(Array.from({ length: clients }, client))
}

async function readAnswer(socket: Socket): Promise<string> {
  let answer = ''
  return await new Promise((resolve, reject) => {
    const hear = (bytes: Buffer) => {
      answer += bytes
      const [head = '', body] = answer.split('\r\n\r\n')
      const length = /content-length: (\d+)/i.exec(head)?.[1]
      if (body === undefined || body.length < Number(length)) return
      socket.off('data', hear)
      resolve(answer)
    }
    socket.on('data', hear)
    socket.once('error', reject).once('close', () => reject(new Error('closed without an answer')))
  })
}

function workerOf(answer: string): number {
  return Number(/x-worker: (\d+)/i.exec(answer)?.[1])
}
