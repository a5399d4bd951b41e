import { keyPrefix, sharedRedis } from '@stepladder/core/testing'
import { MemorySessionBackend, sessionStore } from '@stepladder/session'
import session from 'express-session'
import { afterEach, describe, expect, test } from 'vitest'
import { Browser } from './browser.ts'
import { startApp } from './express-app.ts'
import { fieldsOfApp, oldStores } from './sessions/old-stores.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function serve(store: session.Store) {
  const app = await startApp({ store })
  opened.push(app.close)
  return (cookie = '') => new Browser(app.url, cookie)
}

describe.each(Object.entries(oldStores))('under express-session, who was logged in with %s', (_, open) => {
  async function openBoth() {
    const { store: old, close } = await open()
    opened.push(close)
    const redis = (await sharedRedis()).url
    const store = sessionStore({ redis, prefix: keyPrefix(), timeout: '5s', migrateFrom: old })
    opened.push(() => store.close())
    const [before, after] = [await serve(old), await serve(store)]
    const browser = before()
    await browser.post('/login/ada')
    return { store, before, after, cookie: browser.cookie, id: browser.sessionId }
  }

  test('stays so, and is in one place only', async () => {
    const { store, before, after, cookie, id } = await openBoth()
    await after(cookie).post('/fields/ours')

    const found = await after(cookie).session()
    expect(found).toMatchObject({ user: 'ada', ours: true })
    expect(Object.keys(fieldsOfApp(found)).sort()).toEqual(['cookie', 'ours', 'user'])
    expect((await before(cookie).session()).user).toBeUndefined()
    expect(await store.all()).toMatchObject([{ id, user: 'ada' }])
  })

  test('is logged out by a logout, in both', async () => {
    const { store, before, after, cookie } = await openBoth()
    await after(cookie).post('/logout/0')

    for (const browser of [after(cookie), before(cookie)])
      expect((await browser.session()).user).toBeUndefined()
    expect(await store.all()).toEqual([])
  })

  test('loses nothing of what many requests at once change', async () => {
    const { after, cookie } = await openBoth()
    await Promise.all(Array.from({ length: 20 }, (_, n) => after(cookie).post(`/fields/n${n}`)))
    expect(Object.keys(fieldsOfApp(await after(cookie).session()))).toHaveLength(22)
  })
})

test('a session that was never shown here is ended in the old store by its id', async () => {
  const old = new session.MemoryStore()
  const browser = (await serve(old))()
  await browser.post('/login/ada')
  const store = sessionStore({ backend: new MemorySessionBackend(), migrateFrom: old })

  await store.destroy(browser.sessionId)

  expect(await store.get(browser.sessionId)).toBeUndefined()
  expect((await browser.session()).user).toBeUndefined()
})
