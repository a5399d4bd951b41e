import { startRedisSentinel } from '@stepladder/core/testing'
import { createSessions } from '@stepladder/session'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { cookieOf, type Data } from './set-up.ts'

test('after a failover, the new master tells of changes', async () => {
  await using sentinel = await startRedisSentinel()
  const { sentinels, masterName } = sentinel
  const client = new Redis({ sentinels: [...sentinels], name: masterName, lazyConnect: true })
  const outcomes: string[] = []
  const open = (report?: (report: { operation: string; outcome: string }) => void) =>
    createSessions<Data>({ secret: 'for tests only', redis: client, nearCache: true, timeout: '2s', report })
  const one = open()
  const two = open(({ operation, outcome }) => {
    if (operation === 'near') outcomes.push(outcome)
  })
  const isFromMemory = async (cookie: string) => {
    outcomes.length = 0
    const { info } = await two.load(cookie)
    return !info.isNew && outcomes.includes('hit')
  }
  const begun = async () => {
    const session = await one.load(undefined)
    session.user = 'ada'
    return cookieOf(await one.commit(session))
  }
  const before = await begun()
  await expect.poll(() => isFromMemory(before), { timeout: 10_000 }).toBe(true)

  await sentinel.master.kill()
  let cookie = ''
  const isBegun = async () => {
    cookie = await begun()
    return true
  }
  await expect.poll(() => isBegun().catch(() => false), { timeout: 20_000 }).toBe(true)
  await expect.poll(() => isFromMemory(cookie).catch(() => false), { timeout: 10_000 }).toBe(true)
  await (await one.load(cookie)).destroy()

  await expect.poll(async () => (await two.load(cookie)).info.isNew, { interval: 5 }).toBe(true)
  await Promise.all([one.close(), two.close()])
  client.disconnect()
}, 60_000)
