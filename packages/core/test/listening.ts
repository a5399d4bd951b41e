import { type RedisClient, RedisListener, RedisListeners, systemClock } from '@stepladder/core'
import { onTestFinished } from 'vitest'

/** Hears of what is written under a prefix, and of messages on the channel of that name. */
export class Listening {
  readonly written: string[] = []
  readonly messages: string[] = []
  readonly refused: string[] = []
  readonly listener: RedisListener
  readonly connection: RedisClient
  /** On how many it has listened. */
  connections = 0
  isClosed = false

  constructor(connection: RedisClient, prefix: string, channelsAlone?: boolean) {
    this.connection = connection
    const options = { channels: [prefix], prefixes: [prefix], channelsAlone, clock: systemClock }
    this.listener = new RedisListener(connection, options, {
      onUp: () => {
        this.connections += 1
      },
      onMessage: (channel, text) => this.messages.push(`${channel} ${text}`),
      onWritten: (names) => this.written.push(String(names)),
      onRefused: (what, { message }) => this.refused.push(`${what}: ${message}`),
    })
  }

  close(): void {
    this.isClosed = true
    this.listener.close()
  }
}

/** Closed when the test ends. */
export function listenersOf(
  client: RedisClient,
  prefix: string,
  channelsAlone?: boolean,
): RedisListeners<Listening> {
  const listeners = new RedisListeners(
    client,
    (connection) => new Listening(connection, prefix, channelsAlone),
  )
  onTestFinished(() => listeners.close())
  return listeners
}

/** Listens to the one server of the client, until the test ends. */
export function listenTo(client: RedisClient, prefix: string, channelsAlone?: boolean): Listening {
  const listeners = listenersOf(client, prefix, channelsAlone)
  listeners.follow()
  const [listening] = listeners
  if (!listening) throw new Error('a client of a single server has one listener')
  return listening
}
