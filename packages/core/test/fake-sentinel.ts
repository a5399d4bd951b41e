import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/** A sentinel as far as ioredis asks one: for who is master, and to be told of a new one. */
export class FakeSentinel {
  readonly #server: Server
  readonly #masterPort: number
  readonly #sockets = new Set<Socket>()
  /** With what a message begins in the version of the protocol that they speak. */
  readonly #subscribers = new Map<Socket, '*' | '>'>()
  /** How often it was asked who is master. */
  asked = 0
  /** What happens before it says who is master. */
  beforeAnswer: () => Promise<void> | void = () => {}

  private constructor(server: Server, masterPort: number) {
    this.#server = server
    this.#masterPort = masterPort
  }

  static async start(masterPort: number): Promise<FakeSentinel> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const self = new FakeSentinel(server, masterPort)
    server.on('connection', (socket) => self.#serve(socket))
    return self
  }

  get port(): number {
    // A server that listens on a port has an address of this kind.
    return (this.#server.address() as AddressInfo).port
  }

  get subscribers(): number {
    return this.#subscribers.size
  }

  /** Tells who listens that there is another master. */
  announce(): void {
    for (const [socket, kind] of this.#subscribers) {
      socket.write(texts(kind, 'message', '+switch-master', 'a b c d e'))
    }
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#sockets.delete(socket)
      this.#subscribers.delete(socket)
    })
    let kind: '*' | '>' = '*'
    // ioredis writes each of these commands whole.
    socket.setEncoding('utf8').on('data', (text) => {
      for (const command of String(text).split(/^\*\d+\r\n/m)) {
        const [name, about] = wordsOf(command)
        if (name === 'hello') kind = '>'
        if (name !== undefined) void this.#answer(socket, kind, name, about)
      }
    })
  }

  async #answer(socket: Socket, kind: '*' | '>', name: string, about = ''): Promise<void> {
    if (name === 'hello') socket.write(texts('*', 'proto', '3'))
    else if (name === 'subscribe') {
      this.#subscribers.set(socket, kind)
      socket.write(`${kind}3\r\n${bulk(name)}${bulk(about)}:1\r\n`)
    } else if (about === 'get-master-addr-by-name') {
      this.asked += 1
      await this.beforeAnswer()
      socket.write(texts('*', '127.0.0.1', String(this.#masterPort)))
    } else if (about === 'sentinels') socket.write(texts('*'))
    else socket.write('-ERR unknown command\r\n')
  }
}

function wordsOf(command: string): string[] {
  return [...command.matchAll(/\$\d+\r\n([^\r]*)\r\n/g)].map(([, word = '']) => word.toLowerCase())
}

function texts(kind: '*' | '>', ...all: readonly string[]): string {
  return `${kind}${all.length}\r\n${all.map(bulk).join('')}`
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`
}
