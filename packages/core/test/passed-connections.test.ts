import { expect, test } from 'vitest'
import type { ToWorker } from '../src/link/messages.ts'
import type { NativeHandle } from '../src/link/native-handle.ts'
import type { Listener } from '../src/sockets/listening-socket.ts'
import { PassedConnections } from '../src/sockets/passed-connections.ts'

class FakeWorker implements Listener {
  readonly instance = 0
  state = 'serving'
  /** The numbers of the offers that it got. */
  readonly offers: number[] = []

  send(message: ToWorker): void {
    if (message.stepladder === 'connection') this.offers.push(message.id)
  }
}

class FakeClient implements NativeHandle {
  isClosed = false

  listen(): number {
    return 0
  }

  readStop(): number {
    return 0
  }

  close(): void {
    this.isClosed = true
  }
}

function setUp(workers: number) {
  const listeners = Array.from({ length: workers }, () => new FakeWorker())
  const passed = new PassedConnections({ key: 'port 80', listeners: new Set(listeners) })
  const answer = (id: number, isTaken: boolean) =>
    passed.settle({ stepladder: 'accepted', key: 'port 80', id, isTaken })
  return { listeners, passed, answer }
}

test('a connection is offered to those that serve, in turn, and let go when one has it', () => {
  const { listeners, passed, answer } = setUp(3)
  listeners[0]!.state = 'draining'
  const clients = Array.from({ length: 4 }, () => new FakeClient())
  for (const client of clients) passed.offer(client)
  expect(listeners.map(({ offers }) => offers.length)).toEqual([0, 2, 2])
  expect(clients.some(({ isClosed }) => isClosed)).toBe(false)
  for (const id of [1, 2, 3, 4]) answer(id, true)
  expect(clients.every(({ isClosed }) => isClosed)).toBe(true)
})

test('one that is refused, or whose worker dies, goes to another', () => {
  const { listeners, passed, answer } = setUp(2)
  const [first, second] = listeners
  const client = new FakeClient()
  passed.offer(client)
  first!.state = 'draining'
  answer(first!.offers[0]!, false)
  expect(second!.offers).toHaveLength(1)

  first!.state = 'serving'
  second!.state = 'gone'
  passed.leave(second!)
  expect(first!.offers).toHaveLength(2)
  expect(client.isClosed).toBe(false)
})

test('where nobody serves it is closed, as it would have been without', () => {
  const { listeners, passed } = setUp(1)
  listeners[0]!.state = 'draining'
  const client = new FakeClient()
  passed.offer(client)
  expect(client.isClosed).toBe(true)
})
