import { connect } from 'node:net'

export type RedisReply = string | number | null | readonly RedisReply[]

/** Sends one command over a connection of its own; rejects with an error reply, or after `timeoutMs`. */
export function askRedis(
  port: number,
  command: readonly (string | number)[],
  timeoutMs = 1_000,
): Promise<RedisReply> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    const settle = (act: () => void) => {
      socket.destroy()
      act()
    }
    socket.setTimeout(timeoutMs, () => settle(() => reject(new Error(`no answer within ${timeoutMs} ms`))))
    socket.once('error', (failure) => settle(() => reject(failure)))
    socket.once('end', () => settle(() => reject(new Error('Redis closed the connection'))))
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      const read = readReply(received, 0)
      if (read) settle(() => (read.error === undefined ? resolve(read.reply) : reject(new Error(read.error))))
    })
    socket.write(encode(command))
  })
}

function encode(command: readonly (string | number)[]): string {
  const parts = command.map((part) => `$${Buffer.byteLength(String(part))}\r\n${part}\r\n`)
  return `*${command.length}\r\n${parts.join('')}`
}

interface Read {
  readonly reply: RedisReply
  readonly error?: string
  readonly end: number
}

/** One reply of the protocol RESP2 from `text` at `start`; undefined while its end is still to come. */
function readReply(text: string, start: number): Read | undefined {
  const lineEnd = text.indexOf('\r\n', start)
  if (lineEnd < 0) return undefined
  const line = text.slice(start + 1, lineEnd)
  const end = lineEnd + 2
  switch (text[start]) {
    case '-':
      return { reply: null, error: line, end }
    case ':':
      return { reply: Number(line), end }
    case '$':
      return readBulk(text, end, Number(line))
    case '*':
      return readArray(text, end, Number(line))
    default:
      return { reply: line, end }
  }
}

function readBulk(text: string, start: number, length: number): Read | undefined {
  if (length < 0) return { reply: null, end: start }
  const end = start + length + 2
  return text.length < end ? undefined : { reply: text.slice(start, start + length), end }
}

function readArray(text: string, start: number, count: number): Read | undefined {
  const items: RedisReply[] = []
  let end = start
  for (let index = 0; index < count; index++) {
    const item = readReply(text, end)
    if (!item) return undefined
    items.push(item.reply)
    end = item.end
  }
  return { reply: items, end }
}
