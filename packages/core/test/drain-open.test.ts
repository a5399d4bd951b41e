import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { get as getOverTls, Agent as TlsAgent } from 'node:https'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { sleep } from '@stepladder/core'
import { describe, test } from 'vitest'
import { WebSocket } from 'ws'
import { RawClient } from './raw-client.ts'
import { type ClusterUnderTest, type RunningCluster, startCluster } from './running-cluster.ts'

/** Far below the deadline of ten seconds, and far above what our own windows need. */
const soonMs = 6_000

function start(overrides: Partial<ClusterUnderTest> = {}): Promise<RunningCluster> {
  return startCluster({ app: 'open-app.cjs', workers: 1, flags: ['--distribution', 'shared'], ...overrides })
}

/** Resolves when the old worker was told to go, so long ago, in milliseconds; the returned function waits until it has gone. */
async function beginReload({ supervisor }: RunningCluster, sinceMs = 500): Promise<() => Promise<unknown>> {
  supervisor.kill('SIGHUP')
  await supervisor.waitForOutput(/takes the place/)
  await sleep(sinceMs)
  return () => supervisor.waitForOutput(/: reloaded/)
}

function head(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`
}

const upgrade =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'

describe.concurrent('HTTP/1', { timeout: 60_000 }, () => {
  test.for(['shared', 'dispatch'])(
    "%s: an idle connection becomes its successor's, and its client notices nothing",
    async (distribution, { expect }) => {
      await using cluster = await start({ flags: ['--distribution', distribution] })
      using client = await RawClient.open(cluster.port)
      using fresh = await RawClient.open(cluster.port)
      client.write(head('/pid'))
      await client.receives(/"pid":\d+/)
      const reloaded = await beginReload(cluster)
      const startedAt = performance.now()
      await reloaded()
      expect(performance.now() - startedAt).toBeLessThan(soonMs)
      client.write(head('/pid'))
      await client.receives(/"pid":\d+[\s\S]*"pid":\d+/)
      const [before, after] = client.received.match(/(?<="pid":)\d+/g)!
      expect(after).not.toBe(before)
      fresh.write(head('/pid'))
      await fresh.receives(new RegExp(`"pid":${after}`))
    },
  )

  test('where nobody is left to take it, an idle connection may bring one more request', async ({
    expect,
  }) => {
    await using cluster = await start()
    using client = await RawClient.open(cluster.port)
    using fresh = await RawClient.open(cluster.port)
    client.write(head('/'))
    await client.receives(/hello/)
    cluster.supervisor.kill('SIGTERM')
    await sleep(1_500)
    client.write(head('/'))
    await client.receives(/hello[\s\S]*Connection: close[\s\S]*hello/)
    await fresh.closes()
    expect((await cluster.supervisor.exited).code).toBe(0)
  })

  test('a client that sends ahead gets all its answers, and only the last one says that it is', async ({
    expect,
  }) => {
    await using cluster = await start()
    using client = await RawClient.open(cluster.port)
    client.write(head('/held') + head('/slow?ms=100'))
    await beginReload(cluster)
    client.write(head('/release'))
    await client.closes()
    expect(client.received.match(/done/g)).toHaveLength(2)
    expect(client.received.match(/Connection: close/g)).toHaveLength(1)
    expect(client.received).toMatch(/done[\s\S]*done[\s\S]*Connection: close[\s\S]*\r\n\r\n0$/)
  })

  test('half of a head is waited for; the rest of it brings an answer', async () => {
    await using cluster = await start()
    using client = await RawClient.open(cluster.port)
    const request = head('/')
    client.write(request.slice(0, 10))
    await beginReload(cluster)
    client.write(request.slice(10))
    await client.receives(/Connection: close[\s\S]*hello/)
  })

  test('half of a head that stays so is refused with 408, long before the deadline', async ({ expect }) => {
    await using cluster = await start()
    using used = await RawClient.open(cluster.port)
    using client = await RawClient.open(cluster.port)
    used.write(head('/'))
    await used.receives(/hello/)
    used.write('GET / HT')
    client.write('GET / HT')
    await sleep(100)
    const reloaded = await beginReload(cluster)
    expect(await client.closes()).toBeLessThan(soonMs)
    expect(client.received).toContain('408 Request Timeout')
    await used.closes()
    expect(used.received).toContain('408 Request Timeout')
    await reloaded()
  })

  test('an answer that comes before the body of its request is not lost with that', async () => {
    await using cluster = await start()
    using client = await RawClient.open(cluster.port)
    // The first request holds the connection, so that the second comes to a worker that goes.
    client.write('POST /hash HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab')
    await beginReload(cluster)
    client.write('cdPOST /early HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000\r\n\r\n')
    await client.receives(/413/)
    for (let sent = 0; sent < 2_000; sent += 200) {
      client.write('x'.repeat(200))
      await sleep(10)
    }
    await client.receives(/too large/)
    client.write(head('/'))
    await client.receives(/Connection: close[\s\S]*hello/)
  })

  test('an app that copies the headers of an upstream cannot keep its clients', async () => {
    await using cluster = await start()
    using client = await RawClient.open(cluster.port)
    client.write('POST /hash HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab')
    await beginReload(cluster)
    client.write(`cd${head('/copied')}`)
    await client.receives(/Connection: close[\s\S]*hello/)
  })

  test('event streams end, also one that begins too late, and an app that goes on writing lives on', async ({
    expect,
  }) => {
    await using cluster = await start()
    using client = await RawClient.open(cluster.port)
    using careless = await RawClient.open(cluster.port)
    using late = await RawClient.open(cluster.port)
    using slow = await RawClient.open(cluster.port)
    client.write(head('/events'))
    careless.write(head('/events?careless'))
    await Promise.all([client.receives(/an event/), careless.receives(/an event/)])
    slow.write(head('/held'))
    late.write('GET /events HTTP/1.1\r\n')
    await beginReload(cluster)
    late.write('Host: localhost\r\n\r\n')
    // The last chunk, of no length: that is an end, and no break.
    await Promise.all([client.receives(/an event\n\n\r\n0\r\n\r\n$/), careless.receives(/\r\n0\r\n\r\n$/)])
    await late.receives(/Connection: close[\s\S]*\r\n0\r\n\r\n$/)
    await sleep(200)
    slow.write(head('/release'))
    await slow.closes()
    expect(slow.received).toMatch(/done[\s\S]*\r\n\r\n[1-9]\d*$/)
  })

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

describe.concurrent('TLS', { timeout: 60_000 }, () => {
  test('an idle connection stays where its keys are, and may bring one more request', async ({ expect }) => {
    await using cluster = await start({ env: { PROTOCOL: 'https' } })
    const agent = new TlsAgent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false })
    const ask = async () => {
      const asked = getOverTls({ port: cluster.port, path: '/pid', agent })
      const [response] = await once(asked, 'response')
      return { pid: JSON.parse(await text(response)).pid, connection: response.headers.connection }
    }
    const before = await ask()
    const reloaded = await beginReload(cluster)
    await sleep(1_000)
    expect(await ask()).toEqual({ pid: before.pid, connection: 'close' })
    await reloaded()
    expect((await ask()).pid).not.toBe(before.pid)
    agent.destroy()
  })

  test('a client that never begins its handshake does not hold a drain', async ({ expect }) => {
    await using cluster = await start({ env: { PROTOCOL: 'https' } })
    using client = await RawClient.open(cluster.port)
    await beginReload(cluster)
    expect(await client.closes()).toBeLessThan(soonMs)
  })
})

describe.concurrent.each(['http2', 'https2'])('%s', { timeout: 60_000 }, (protocol) => {
  const origin = ({ port }: RunningCluster) =>
    `${protocol === 'http2' ? 'http' : 'https'}://127.0.0.1:${port}`
  const options = { rejectUnauthorized: false, ALPNProtocols: ['h2'] }

  function ask(session: ClientHttp2Session, path: string): Promise<string> {
    return text(session.request({ ':path': path }))
  }

  test('GOAWAY is sent, what was begun is answered, event streams end, and the connection closes', async ({
    expect,
  }) => {
    await using cluster = await start({ env: { PROTOCOL: protocol } })
    const session = connectHttp2(origin(cluster), options)
    const told = once(session, 'goaway')
    const closed = once(session, 'close')
    expect(await ask(session, '/')).toBe('hello')
    const slow = session.request({ ':path': '/hash', ':method': 'POST' })
    slow.write('begun')
    const events = ask(session, '/events?careless')
    const reloaded = await beginReload(cluster)
    const [code] = await told
    expect(code).toBe(0)
    expect(await events).toMatch(/an event\n\n$/)
    slow.end()
    expect(await text(slow)).toBe(createHash('sha256').update('begun').digest('hex'))
    await closed
    await reloaded()
    expect(cluster.supervisor.output).not.toContain('ERR_')
  })

  test('a connection that begins during the drain may bring its first request', async ({ expect }) => {
    await using cluster = await start({ env: { PROTOCOL: protocol } })
    const socket = connect({ host: '127.0.0.1', port: cluster.port })
    await once(socket, 'connect')
    // The old worker has accepted it for sure, and one request keeps it there.
    using holding = await RawClient.open(cluster.port)
    await sleep(200)
    // It has a second.
    const reloaded = await beginReload(cluster, 100)
    const session = connectHttp2(origin(cluster), {
      createConnection: () => (protocol === 'http2' ? socket : connectTls({ socket, ...options })),
    })
    expect(await ask(session, '/slow?ms=300')).toBe('done')
    await once(session, 'close')
    holding.socket.destroy()
    await reloaded()
  })
})
