import { openRedis, RedisScript } from '@stepladder/core'
import { keyPrefix, type RedisServer, startRedis } from '@stepladder/core/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

async function open() {
  const client = await openRedis(redis.url, { owner: 'test' })
  onTestFinished(() => client.disconnect())
  return client
}

async function commandsSent(task: () => Promise<unknown>): Promise<readonly string[]> {
  const admin = new Redis(redis.url)
  const monitor = await admin.monitor()
  const sent: string[] = []
  monitor.on('monitor', (_time, [name]: string[], source) => {
    if (source !== 'lua') sent.push(name!.toLowerCase())
  })
  await task()
  // Redis shows commands in their order.
  await admin.echo('that was all')
  await expect.poll(() => sent.at(-1)).toBe('echo')
  monitor.disconnect()
  admin.disconnect()
  return sent.slice(0, -1)
}

test('a script is sent in full once, and by its hash from then on, whoever sends it', async () => {
  const [one, two, text] = [await open(), await open(), `return '${keyPrefix()}'`]
  const script = new RedisScript(text)
  expect(await commandsSent(() => script.run(one, [], []))).toEqual(['evalsha', 'eval'])
  expect(await commandsSent(() => script.run(two, [], []))).toEqual(['evalsha'])
  expect(await commandsSent(() => new RedisScript(text).runBuffer(one, [], []))).toEqual(['evalsha'])
})

test.each(['run', 'runBuffer'] as const)('%s goes on when Redis has forgotten the script', async (run) => {
  const [client, key] = [await open(), keyPrefix()]
  const text = `return redis.call('INCR', KEYS[1])`
  const script = new RedisScript(text)
  await script[run](client, [key], [])
  const hash = String(await client.call('script', 'load', text))

  await client.call('script', 'flush')

  // The control: the hash alone is worth nothing now.
  await expect(client.call('evalsha', hash, 1, key)).rejects.toThrow(/^NOSCRIPT/)
  expect(await script[run](client, [key], [])).toBe(2)
})

test('texts of an answer are strings or, byte for byte, Buffers', async () => {
  const [client, key] = [await open(), keyPrefix()]
  const bytes = Buffer.from([0, 255, 254, 13, 10])
  const script = new RedisScript(`
    redis.call('SET', KEYS[1], ARGV[1])
    return { redis.call('GET', KEYS[1]), ARGV[2], 7, false }`)

  expect(await script.runBuffer(client, [key], [bytes, 5])).toEqual([bytes, Buffer.from('5'), 7, null])
  expect(await script.run(client, [key], ['text', 5])).toEqual(['text', '5', 7, null])
})

test('what fails in a script is told to the caller, and not tried again', async () => {
  const [client, key] = [await open(), keyPrefix()]
  const script = new RedisScript(`
    redis.call('INCR', KEYS[1])
    return redis.call('LPUSH', KEYS[1], 'no list')`)

  await expect(script.run(client, [key], [])).rejects.toThrow(/WRONGTYPE/)
  await expect(script.runBuffer(client, [key], [])).rejects.toThrow(/WRONGTYPE/)

  expect(await client.get(key)).toBe('2')
})
