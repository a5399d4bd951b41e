import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Cache, createCache } from '@stepladder/cache'
import { freePort, keyPrefix, sharedRedis, spawnNode, startTcpProxy } from '@stepladder/core/testing'
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'

const core = dirname(createRequire(import.meta.url).resolve('@stepladder/core/package.json'))
const app = fileURLToPath(new URL('./fixtures/local-app.ts', import.meta.url))

const opened: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()))
})

function open(name: string, redis: string): Cache {
  const cache = createCache({ name, ttl: '1m', redis, readBudget: '5s' })
  opened.push(cache)
  return cache
}

/** Its memory is served once it knows that it hears the others. */
async function untilServed({ local }: Cache, key: string, value: unknown): Promise<void> {
  const serves = () => {
    if (!local.has(key)) local.fill(key, value)
    return local.get(key)
  }
  await expect.poll(serves, { timeout: 5_000 }).toBe(value)
}

test('over Redis, what one process sets or deletes is gone from the memory of another, and never in Redis', async () => {
  const redis = await sharedRedis()
  const name = keyPrefix('local')
  const [one, two] = [open(name, redis.url), open(name, redis.url)]
  await Promise.all([untilServed(one, 'mine', 'old'), untilServed(two, 'mine', 'old')])

  one.local.set('mine', 'new')
  expect(one.local.get('mine')).toBe('new')
  await expect.poll(() => two.local.peek('mine'), { timeout: 1_000, interval: 5 }).toBeUndefined()
  await untilServed(two, 'mine', 'new')
  two.local.delete('mine')
  await expect.poll(() => one.local.peek('mine'), { timeout: 1_000, interval: 5 }).toBeUndefined()

  // A record that another face of the cache has put there goes as well.
  await one.set('mine', 'in Redis')
  one.local.set('mine', 'only here')
  await expect.poll(() => two.get('mine'), { timeout: 1_000, interval: 5 }).toBeUndefined()
  expect(one.local.get('mine')).toBe('only here')

  const client = new Redis(redis.url)
  opened.push({ close: () => client.quit() })
  const texts = await Promise.all((await client.keys(`*${name}*`)).map((key) => client.dump(key)))
  expect(texts.some((text) => text?.includes('only here'))).toBe(false)
})

test('on a connection that swallows everything, memory is not served for longer than a second', async () => {
  const redis = await sharedRedis()
  await using proxy = await startTcpProxy({ host: redis.host, port: redis.port })
  const name = keyPrefix('local-fence')
  const [behind, beside] = [open(name, proxy.url('redis')), open(name, redis.url)]
  await Promise.all([untilServed(behind, 'key', 'old'), untilServed(beside, 'ready', 1)])

  proxy.blackhole()
  beside.local.set('key', 'new')
  const changedAt = performance.now()
  await expect.poll(() => behind.local.peek('key'), { timeout: 1_500, interval: 5 }).toBeUndefined()
  expect(performance.now() - changedAt).toBeLessThan(1_100)
  await proxy.heal()
  await untilServed(behind, 'key', 'new')
})

test('without Redis, what one worker sets no other worker of the machine has any more', async () => {
  const port = await freePort()
  await using machine = spawnNode(join(core, 'bin/stepladder.js'), {
    args: ['run', '--workers', '2', '--distribution', 'dispatch', app],
    env: { PORT: String(port) },
    execArgv: ['--conditions=@stepladder/source'],
  })
  await machine.waitForOutput(/2 of 2 workers serve/)
  const ask = async (path: string) =>
    (await (await fetch(`http://127.0.0.1:${port}${path}`)).json()) as { pid: number; answer: string } // as the fixture answers
  const answers = new Map<number, string>()
  for (let tries = 0; answers.size < 2 && tries < 100; tries++) {
    const { pid, answer } = await ask('/fill?row=old')
    answers.set(pid, answer)
  }
  expect([...answers.values()]).toEqual(['old', 'old'])

  const changed = await ask('/set?row=new')
  expect(changed.answer).toBe('new')
  const theOther = async () => {
    const { pid, answer } = await ask('/fill?row=new')
    return pid === changed.pid ? undefined : answer
  }
  await expect.poll(theOther, { timeout: 5_000 }).toBe('new')
  for (let n = 0; n < 20; n++) expect((await ask('/fill?row=newer')).answer).toBe('new')
})
