import { isStepladderError } from '@stepladder/core'
import { ServerStartError, startPostgres, startRedis } from '@stepladder/core/testing'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { expect, onTestFinished, test } from 'vitest'

test('a frozen Redis answers nothing, and answers what it was asked when it thaws', async () => {
  const { server, client } = await redis()
  await client.set('ada', 'Ada')

  await server.freeze()
  const answer = client.get('ada')
  expect(await within(300, answer)).toBe('nothing')

  await server.thaw()
  expect(await answer).toBe('Ada')
})

test('a Redis that was killed is at the same address again, with what its append-only file holds', async () => {
  const { server, client } = await redis({ appendonly: true })
  await client.set('ada', 'Ada')

  const firstPid = server.pid
  await server.kill()
  expect(server.pid).toBeUndefined()
  await expect(ask(server.url)).rejects.toThrow('ECONNREFUSED')

  await server.restart()
  expect(server.pid).not.toBe(firstPid)
  expect(await ask(server.url)).toBe('Ada')
})

test('a Redis without an append-only file loses its data when killed, and keeps it over a restart', async () => {
  const { server, client } = await redis()
  await client.set('ada', 'Ada')

  await server.restart()
  expect(await ask(server.url)).toBe('Ada')

  await server.kill()
  await server.restart({ empty: true })
  expect(await ask(server.url)).toBeNull()
})

test('a restart with `empty` leaves nothing, append-only file or not', async () => {
  const { server, client } = await redis({ appendonly: true })
  await client.set('ada', 'Ada')

  await server.restart({ empty: true })

  expect(await ask(server.url)).toBeNull()
})

test('a frozen Redis can be restarted, killed and stopped', async () => {
  const { server, client } = await redis({ appendonly: true })
  await client.set('ada', 'Ada')

  await server.freeze()
  await server.restart()
  expect(await ask(server.url)).toBe('Ada')

  await server.freeze()
  await server.kill()
  await server.restart()
  await server.freeze()
  await server.stop()
  await expect(ask(server.url)).rejects.toThrow('ECONNREFUSED')
})

test('lines of redis.conf reach Redis; a wrong one is an error that says what Redis said', async () => {
  const { client } = await redis({ config: { 'maxmemory-policy': 'allkeys-lfu' } })
  expect(await client.config('GET', 'maxmemory-policy')).toContain('allkeys-lfu')

  const failure = await startRedis({ config: { 'maxmemory-policy': 'best' } }).catch(
    (error: unknown) => error,
  )

  expect(failure).toBeInstanceOf(ServerStartError)
  expect(isStepladderError(failure) && failure.code).toBe('SERVER_START_FAILED')
  expect(String(failure)).toContain('maxmemory-policy')
})

test('a frozen Postgres answers nothing on connections it has, and answers when it thaws', async () => {
  const { server, client } = await postgres()

  await server.freeze()
  const answer = client.query('SELECT 1 AS one')
  expect(await within(300, answer)).toBe('nothing')

  await server.thaw()
  expect((await answer).rows).toEqual([{ one: 1 }])
})

test('control: with its main process alone stopped, Postgres goes on answering', async () => {
  const { server, client } = await postgres()

  process.kill(server.pid!, 'SIGSTOP')

  expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  process.kill(server.pid!, 'SIGCONT')
})

test('what Postgres acknowledged is there after a kill, at the same address, and gone when asked for', async () => {
  const { server, client } = await postgres()
  await client.query('CREATE TABLE passengers (name text)')
  await client.query("INSERT INTO passengers VALUES ('Ada')")

  await server.kill()
  await expect(query(server.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED')
  await server.restart()
  expect(await query(server.url, 'SELECT name FROM passengers')).toEqual([{ name: 'Ada' }])

  await server.restart()
  expect(await query(server.url, 'SELECT name FROM passengers')).toEqual([{ name: 'Ada' }])

  await server.restart({ empty: true })
  await expect(query(server.url, 'SELECT name FROM passengers')).rejects.toThrow('does not exist')
})

test('databases are separate', async () => {
  const { server } = await postgres()
  const [one, two] = await Promise.all([server.createDatabase(), server.createDatabase('two "quoted"')])

  await query(one, 'CREATE TABLE passengers (name text)')

  expect(await query(one, 'SELECT name FROM passengers')).toEqual([])
  await expect(query(two, 'SELECT name FROM passengers')).rejects.toThrow('does not exist')
  expect(await query(two, 'SELECT current_database() AS name')).toEqual([{ name: 'two "quoted"' }])
})

async function redis(options: Parameters<typeof startRedis>[0] = {}) {
  const server = await startRedis(options)
  const client = new Redis(server.url)
  client.on('error', () => {})
  onTestFinished(async () => {
    client.disconnect()
    await server.stop()
  })
  return { server, client }
}

async function postgres() {
  const server = await startPostgres()
  const client = new Client(server.url)
  client.on('error', () => {})
  await client.connect()
  // A client whose server is gone waits for an answer to its goodbye; the server's end closes it anyway.
  onTestFinished(() => server.stop())
  return { server, client }
}

/** What 'ada' is, by a connection of its own. */
async function ask(url: string): Promise<string | null> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: null })
  const failed = new Promise<never>((_, reject) => client.on('error', reject))
  try {
    await Promise.race([client.connect(), failed])
    return await client.get('ada')
  } finally {
    client.disconnect()
  }
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client(url)
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

function within<T>(ms: number, answer: Promise<T>): Promise<T | 'nothing'> {
  return Promise.race([answer, new Promise<'nothing'>((resolve) => setTimeout(resolve, ms, 'nothing'))])
}
