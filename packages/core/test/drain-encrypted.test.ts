import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { get as getOverTls, Agent as TlsAgent } from 'node:https'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { sleep } from '@stepladder/core'
import { describe, test } from 'vitest'
import { beginReload, soonMs, start } from './open-connections.ts'
import { RawClient } from './raw-client.ts'
import type { RunningCluster } from './running-cluster.ts'

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
