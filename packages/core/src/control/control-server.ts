import { rm, stat } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Closeable } from '../closeable.ts'
import { isStepladderError } from '../errors.ts'
import { onLines } from '../link/lines.ts'
import { type ControlAddress, controlAddresses, folderBases, newControlAddress } from './control-address.ts'
import { ControlRefusedError } from './control-errors.ts'
import {
  type ControlAnswer,
  type ControlFailure,
  type ControlRequest,
  longestRequest,
  readRequest,
  toLine,
} from './control-protocol.ts'

/** Does what a request asks; `say` tells the asker how it goes on. */
export type Answer = (request: ControlRequest, say: (line: string) => void) => Promise<unknown>

/** Who connects and then says nothing is sent away after so long, in milliseconds. */
const askWithinMs = 10_000
/** A socket that refuses and is older than this belongs to a supervisor that is dead, in milliseconds. */
const staleMs = 1_000
const mostConnections = 64

/**
 * Lets the commands of `stepladder` speak to this supervisor, over a socket that only its user reaches.
 * Where that cannot be had it says so once, and the cluster runs without. `close` first gives the last answers.
 */
export async function openControl(
  answer: Answer,
  log: (line: string) => void,
  bases: readonly string[] = folderBases(),
): Promise<Closeable> {
  const control = new ControlServer(answer)
  try {
    await control.open(bases)
  } catch (failure) {
    const reason = failure instanceof Error ? failure.message : String(failure)
    log(`stepladder reload, status and stop will not find this cluster, signals do: ${reason}`)
  }
  return control
}

class ControlServer implements Closeable {
  readonly #answer: Answer
  readonly #server: Server
  readonly #idle = new Set<Socket>()
  readonly #answering = new Set<Promise<void>>()

  constructor(answer: Answer) {
    this.#answer = answer
    this.#server = createServer((socket) => this.#welcome(socket))
    this.#server.maxConnections = mostConnections
  }

  async open(bases: readonly string[]): Promise<void> {
    await Promise.all(controlAddresses(bases).map(removeIfStale))
    const path = newControlAddress(bases)
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(path, resolve)
    })
    // Steering alone is no reason to stay.
    this.#server.unref()
    this.#server.on('error', () => {})
  }

  async close(): Promise<void> {
    this.#server.close()
    for (const socket of this.#idle) socket.destroy()
    await Promise.all(this.#answering)
  }

  #welcome(socket: Socket): void {
    this.#idle.add(socket)
    // Who has left does not hear how it ended.
    socket.on('error', () => {})
    socket.on('close', () => this.#idle.delete(socket))
    socket.setTimeout(askWithinMs, () => socket.destroy())
    const once = (reply: Promise<void>) => {
      this.#answering.add(reply)
      reply.finally(() => this.#answering.delete(reply))
    }
    // One question for each connection; what follows it is not heard.
    const isFirst = () => this.#idle.delete(socket)
    onLines(socket, {
      longest: longestRequest,
      hear: (line) => isFirst() && once(this.#reply(socket, line)),
      tooLong: () =>
        isFirst() &&
        once(end(socket, { failure: describe(new ControlRefusedError('the line is too long')) })),
    })
  }

  async #reply(socket: Socket, line: string): Promise<void> {
    // It may take a while.
    socket.setTimeout(0)
    try {
      const request = understand(line)
      const result = await this.#answer(request, (progress) => socket.write(toLine({ progress })))
      await end(socket, { result })
    } catch (failure) {
      await end(socket, { failure: describe(failure) })
    }
  }
}

function understand(line: string): ControlRequest {
  try {
    return readRequest(line)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ControlRefusedError(`The supervisor does not understand what it is asked: ${reason}`, { cause })
  }
}

/** Resolves when the last answer has been handed over, or nobody is there to take it. */
async function end(socket: Socket, answer: ControlAnswer): Promise<void> {
  if (socket.destroyed) return
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
    socket.end(toLine(answer), () => {
      socket.destroySoon()
      resolve()
    })
  })
}

function describe(failure: unknown): ControlFailure {
  return {
    code: isStepladderError(failure) ? failure.code : 'CONTROL_FAILED',
    message: failure instanceof Error ? failure.message : String(failure),
  }
}

/** Somebody was killed who could not clean up. */
async function removeIfStale({ path }: ControlAddress): Promise<void> {
  if (process.platform === 'win32' || !(await refuses(path))) return
  const isOld = await stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs > staleMs,
    () => false,
  )
  // Between the making of a socket and its first welcome it refuses too.
  if (isOld) await rm(path, { force: true })
}

function refuses(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', (failure) => resolve('code' in failure && failure.code === 'ECONNREFUSED'))
  })
}
