import { sleep } from '@stepladder/core'
import { describe, test } from 'vitest'
import { beginReload, head, soonMs, start } from './open-connections.ts'
import { RawClient } from './raw-client.ts'

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
})
