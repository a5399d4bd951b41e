import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyPrefix, sharedPostgres, sharedRedis, spawnNode } from '@stepladder/core/testing'
import { MemorySessionBackend, sessionStore } from '@stepladder/session'
import session from 'express-session'
import { afterEach, describe, expect, test } from 'vitest'
import { Browser } from './browser.ts'
import { startApp } from './express-app.ts'
import { postgresDatabase } from './postgres-database.ts'
import { sqliteDatabase } from './sqlite-database.ts'

const requests = 200
const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function openApp(store: session.Store & { close?: () => Promise<void> }) {
  const app = await startApp({ store, together: requests })
  opened.push(() => store.close?.(), app.close)
  return app.url
}

/** Logs in, sends all requests at once, spread over the servers, and counts what the session holds then. */
async function fieldsKept(route: 'fields' | 'nested', urls: readonly string[]): Promise<number> {
  const browser = new Browser(urls[0]!)
  await browser.post('/login/ada')
  const answers = await Promise.all(
    Array.from({ length: requests }, (_, n) =>
      new Browser(urls[n % urls.length]!, browser.cookie).post(`/${route}/n${n}`),
    ),
  )
  expect(new Set(answers)).toEqual(new Set([200]))
  const stored = await browser.session()
  const fields = route === 'nested' ? (stored.cart as object) : stored
  return Object.keys(fields).filter((name) => /^n\d+$/.test(name)).length
}

describe.each(['fields', 'nested'] as const)('200 requests that each set another one of the %s', (route) => {
  test('are all kept in Redis', async () => {
    const { url } = await sharedRedis()
    const store = sessionStore({ redis: url, prefix: keyPrefix(), timeout: '5s' })
    expect(await fieldsKept(route, [await openApp(store)])).toBe(requests)
  })

  test('are all kept in Postgres', async () => {
    const server = await sharedPostgres()
    const url = await server.createDatabase()
    const database = postgresDatabase(url)
    opened.push(
      () => server.dropDatabase(url),
      () => database.destroy(),
    )
    expect(await fieldsKept(route, [await openApp(sessionStore({ database, timeout: '5s' }))])).toBe(requests)
  })

  test('are all kept in SQLite', async () => {
    const database = sqliteDatabase()
    opened.push(() => database.destroy())
    expect(await fieldsKept(route, [await openApp(sessionStore({ database, timeout: '5s' }))])).toBe(requests)
  })

  test('are all kept in memory', async () => {
    expect(await fieldsKept(route, [await openApp(sessionStore())])).toBe(requests)
  })

  test('are mostly lost by the MemoryStore of express-session', async () => {
    expect(await fieldsKept(route, [await openApp(new session.MemoryStore())])).toBeLessThan(requests / 2)
  })
})

describe('200 requests over two processes', () => {
  async function startServers(kind: string, place: string): Promise<string[]> {
    const file = join(__dirname, 'server.fixture.ts')
    const args = [kind, place, keyPrefix(), String(requests / 2)]
    const servers = [1, 2].map(() => spawnNode(file, { args, execArgv: ['--conditions=@stepladder/source'] }))
    opened.push(() => Promise.all(servers.map((server) => server.stop())))
    const lines = await Promise.all(servers.map((server) => server.waitForOutput(/listening at (\S+)\./)))
    return lines.map(([, url]) => url!)
  }

  test('are all kept in Redis', async () => {
    const { url } = await sharedRedis()
    expect(await fieldsKept('nested', await startServers('redis', url))).toBe(requests)
  })

  test('are all kept in a SQLite file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stepladder-session-'))
    opened.push(() => rm(folder, { recursive: true }))
    expect(await fieldsKept('nested', await startServers('sqlite', join(folder, 'app.db')))).toBe(requests)
  })
})

test('what one process saves to one session at the same time goes out together', async () => {
  const backend = new MemorySessionBackend()
  let replaced = 0
  backend.replace = new Proxy(backend.replace, {
    apply(replace, self, args) {
      replaced += 1
      return Reflect.apply(replace, self, args)
    },
  })
  const store = sessionStore({ backend })
  await store.set('ada', { cookie: {} })
  const sessions = await Promise.all(Array.from({ length: requests }, () => store.get('ada')))
  await Promise.all(sessions.map((found, n) => store.set('ada', Object.assign(found!, { [`n${n}`]: true }))))

  expect(Object.keys((await store.get('ada'))!)).toHaveLength(1 + requests)
  expect(replaced).toBe(2)
})
