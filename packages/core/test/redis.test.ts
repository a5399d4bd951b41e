import { createServer } from 'node:net'
import { openRedis, type RedisClient } from '@stepladder/core'
import { startRedis } from '@stepladder/core/testing'
import { Cluster, Redis } from 'ioredis'
import { expect, test } from 'vitest'

test("the app's client is duplicated: ours fails fast, theirs stays as it was", async () => {
  await using server = await startRedis()
  const theirs = new Redis(server.url)
  const ours = await openRedis(theirs, { owner: 'test' })
  await theirs.set('key', 'value')
  expect(await ours.get('key')).toBe('value')

  server.kill()
  const failed = await ours.get('key').catch((failure: Error) => failure)
  expect(failed).toBeInstanceOf(Error)
  await server.restart()
  await expect.poll(() => ours.call('ping').catch(() => 'away'), { timeout: 15_000 }).toBe('PONG')

  ours.disconnect()
  expect(await theirs.ping()).toBe('PONG')
  theirs.disconnect()
})

test('a command to a frozen Redis ends, and the next connection is tried for ever', async () => {
  await using server = await startRedis()
  const ours = await openRedis(server.url, { owner: 'test', commandTimeoutMs: 100 })
  await expect.poll(() => ours.call('ping').catch(() => 'away'), { timeout: 15_000 }).toBe('PONG')
  await server.freeze()
  const startedAt = performance.now()
  await expect(ours.get('key')).rejects.toThrow(/timed out/i)
  expect(performance.now() - startedAt).toBeLessThan(5_000)
  await server.thaw()
  await expect.poll(() => ours.call('ping').catch(() => 'away'), { timeout: 15_000 }).toBe('PONG')
  ours.disconnect()
})

test('a server that accepts and never speaks holds nobody up, and is reported', async () => {
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const address = silent.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const failures: Error[] = []
  const ours = await openRedis(`redis://127.0.0.1:${port}`, {
    owner: 'test',
    commandTimeoutMs: 100,
    onError: (failure) => failures.push(failure),
  })
  expect(failures.map(({ message }) => message)).toContain('Connecting to Redis did not end within 100 ms')
  ours.disconnect()
  silent.close()
})

test('clients of ioredis fit by their types, single and cluster', () => {
  const fit = (_client: RedisClient) => {}
  const compiles = () => {
    fit(new Redis('redis://127.0.0.1'))
    fit(new Cluster([]))
  }
  expect(compiles).toBeTypeOf('function')
})
