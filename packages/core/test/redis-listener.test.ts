import { openRedis, type RedisClient } from '@stepladder/core'
import { keyPrefix, sharedRedis, startRedis } from '@stepladder/core/testing'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { Listening, listenTo } from './listening.ts'

function endAfterTest<T extends RedisClient>(client: T): T {
  onTestFinished(() => client.disconnect())
  return client
}

async function openAs(user: string, rules: readonly string[]): Promise<RedisClient> {
  const { url } = await sharedRedis()
  const admin = endAfterTest(new Redis(url))
  await admin.call('acl', 'setuser', user, 'on', '>secret', '~*', '+@all', ...rules)
  const theirs = url.replace('redis://', `redis://${user}:secret@`)
  return endAfterTest(await openRedis(theirs, { owner: 'test' }))
}

test.each([{}, { protocol: 2 as const }, { keyPrefix: 'app:' }, { enableReadyCheck: false }])(
  "what the app's client is set to, here %o, does not keep its copy from hearing of writes and messages",
  async (options) => {
    const { url } = await sharedRedis()
    const theirs = endAfterTest(new Redis(url, options))
    const [writer, key] = [endAfterTest(new Redis(url)), keyPrefix()]
    const listening = listenTo(theirs, key)
    await expect.poll(() => listening.connections, { timeout: 5_000 }).toBe(1)

    await writer.set(key, 'value')
    await writer.publish(key, 'hello')

    await expect.poll(() => listening.messages, { timeout: 5_000 }).toEqual([`${key} hello`])
    expect(listening.written).toEqual([key])
    expect(await theirs.ping()).toBe('PONG')
  },
)

test('a plain copy of a client, as ioredis makes it, hears of no write: what the settings are for', async () => {
  const { url } = await sharedRedis()
  const [theirs, writer] = [endAfterTest(new Redis(url)), endAfterTest(new Redis(url))]
  const key = keyPrefix()
  const plain = new Listening(theirs.duplicate({ lazyConnect: true }), key)
  onTestFinished(() => plain.close())
  const ours = listenTo(theirs, key)
  await expect.poll(() => [plain.connections, ours.connections], { timeout: 5_000 }).toEqual([1, 1])

  await writer.set(key, 'value')
  await writer.publish(key, 'hello')

  await expect
    .poll(() => [plain.messages, ours.messages], { timeout: 5_000 })
    .toEqual([[`${key} hello`], [`${key} hello`]])
  expect([plain.written, ours.written]).toEqual([[], [key]])
})

test('a connection that breaks is made anew, and asked for all of it again', async () => {
  await using redis = await startRedis()
  const client = endAfterTest(await openRedis(redis.url, { owner: 'test' }))
  const key = keyPrefix()
  const listening = listenTo(client, key)
  await expect.poll(() => listening.connections, { timeout: 5_000 }).toBe(1)

  await redis.kill()
  await expect.poll(() => listening.listener.upSince, { timeout: 5_000 }).toBeUndefined()
  await redis.restart()
  await expect.poll(() => listening.connections, { timeout: 10_000 }).toBe(2)
  listening.listener.reopen()
  expect(listening.listener.upSince).toBeUndefined()
  await expect.poll(() => listening.connections, { timeout: 10_000 }).toBe(3)

  await expect.poll(() => client.call('set', key, 'value').catch(String), { timeout: 10_000 }).toBe('OK')
  await expect.poll(() => listening.written, { timeout: 5_000 }).toEqual([key])
  listening.close()
  expect(listening.listener.upSince).toBeUndefined()
})

test('a connection that ioredis has given up for good is made once more', async () => {
  const { url } = await sharedRedis()
  const [theirs, key] = [endAfterTest(new Redis(url)), keyPrefix()]
  const listening = listenTo(theirs, key)
  await expect.poll(() => listening.connections, { timeout: 5_000 }).toBe(1)

  // As it does by itself where sentinels tell of a new master while it asks them for one.
  listening.connection.disconnect()

  await expect.poll(() => listening.connections, { timeout: 5_000 }).toBe(2)
  await theirs.set(key, 'value')
  await expect.poll(() => listening.written, { timeout: 5_000 }).toEqual([key])
  listening.close()
  await expect.poll(() => listening.connection.status, { timeout: 5_000 }).toBe('end')
})

test('where the server tells of no writes, the channels are heard alone if they are of use so', async () => {
  const key = keyPrefix()
  const client = await openAs(key, ['allchannels', '-client|tracking'])
  const [strict, lenient] = [listenTo(client, key), listenTo(client, key, true)]
  await expect.poll(() => lenient.connections, { timeout: 5_000 }).toBe(1)

  await client.call('publish', key, 'hello')

  await expect.poll(() => lenient.messages, { timeout: 5_000 }).toEqual([`${key} hello`])
  expect(lenient.refused).toEqual([expect.stringMatching(/^writes: NOPERM/)])
  // It is asked on the next connection again, and refuses again.
  await expect.poll(() => strict.refused.length, { timeout: 5_000 }).toBeGreaterThan(1)
  expect([strict.connections, strict.messages]).toEqual([0, []])
})

test('a server that refuses channels is asked on each connection again, until it gives in', async () => {
  const key = keyPrefix()
  const listening = listenTo(await openAs(key, ['resetchannels']), key)
  const refusal = expect.stringMatching(/^channels: NOPERM/)
  await expect.poll(() => listening.refused, { timeout: 5_000 }).toContainEqual(refusal)
  expect(listening.listener.upSince).toBeUndefined()

  await openAs(key, ['allchannels'])

  await expect.poll(() => listening.connections, { timeout: 5_000 }).toBe(1)
  expect(listening.listener.upSince).toBeGreaterThan(0)
})
