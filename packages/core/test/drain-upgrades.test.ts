import { once } from 'node:events'
import { sleep } from '@stepladder/core'
import { describe, test } from 'vitest'
import { WebSocket } from 'ws'
import { beginReload, head, soonMs, start } from './open-connections.ts'
import { RawClient } from './raw-client.ts'

const upgrade =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'

describe.concurrent('a connection that is no HTTP any more', { timeout: 60_000 }, () => {
  test('a WebSocket is told to go away, and so is the app', async ({ expect }) => {
    await using cluster = await start()
    const socket = new WebSocket(`ws://127.0.0.1:${cluster.port}`)
    await once(socket, 'open')
    const closed = once(socket, 'close')
    const reloaded = await beginReload(cluster)
    const [code] = await closed
    expect(code).toBe(1001)
    await reloaded()
    const [told] = await cluster.supervisor.waitForOutput(/app: WebSocket closed with \d+/)
    expect(told).toContain('1001')
  })

  test('a close frame goes between the frames of a busy WebSocket, and breaks none', async ({ expect }) => {
    await using cluster = await start()
    const message = Buffer.alloc(300_000, 'x')
    const sockets = Array.from({ length: 8 }, () => new WebSocket(`ws://127.0.0.1:${cluster.port}`))
    const failures: Error[] = []
    for (const socket of sockets) {
      socket.on('error', (failure) => failures.push(failure))
      socket.on('message', (echo: Buffer) => {
        if (!message.equals(echo)) failures.push(new Error('another echo'))
        if (socket.readyState === WebSocket.OPEN) socket.send(message)
      })
      socket.once('open', () => socket.send(message))
    }
    const closed = Promise.all(sockets.map((socket) => once(socket, 'close')))
    await Promise.all(sockets.map((socket) => once(socket, 'message')))
    await beginReload(cluster)
    expect((await closed).map(([code]) => code)).toEqual(sockets.map(() => 1001))
    expect(failures).toEqual([])
  })

  test('a WebSocket client that does not say goodbye is not waited for until the deadline', async ({
    expect,
  }) => {
    await using cluster = await start()
    using client = await RawClient.open(cluster.port)
    client.write(head('/', upgrade))
    await client.receives(/101 Switching Protocols[\s\S]*\r\n\r\n/)
    const reloaded = await beginReload(cluster)
    expect(await client.closes()).toBeLessThan(soonMs)
    expect(client.received.endsWith('\x88\x02\x03\xe9')).toBe(true)
    await reloaded()
  })

  test('a handshake under way comes to its end first; one that the app forgot is refused', async ({
    expect,
  }) => {
    await using cluster = await start()
    const socket = new WebSocket(`ws://127.0.0.1:${cluster.port}/held`)
    const opened = once(socket, 'open')
    const closed = once(socket, 'close')
    using forgotten = await RawClient.open(cluster.port)
    using releasing = await RawClient.open(cluster.port)
    releasing.write(head('/held'))
    forgotten.write(head('/never', upgrade))
    await beginReload(cluster)
    releasing.write(head('/release'))
    await opened
    const [code] = await closed
    expect(code).toBe(1001)
    expect(await forgotten.closes()).toBeLessThan(soonMs)
    expect(forgotten.received).toContain('503 Service Unavailable')
  })

  test('a tunnel of which only the app knows the language lasts until the deadline', async ({ expect }) => {
    await using cluster = await start({ flags: ['--distribution', 'shared', '--drain', '4s'] })
    using client = await RawClient.open(cluster.port)
    client.write(head('/', 'Connection: Upgrade\r\nUpgrade: other\r\n'))
    await client.receives(/101 Switching/)
    await beginReload(cluster)
    await sleep(700)
    client.write('still there?')
    await client.receives(/still there\?/)
    expect(await client.closes()).toBeLessThan(soonMs)
  })
})
