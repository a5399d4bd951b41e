/**
 * Run as a process of its own: reads sessions again and again, and answers by HTTP when it last began a read that found
 * each of them, in milliseconds since the epoch, and whether memory answered lately. Prints its URL.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { createSessions } from '@stepladder/session'
import { UnfencedRedis } from './unfenced-redis.ts'

const [, , url = '', fence = '', kind = '', ...cookies] = process.argv
let lastHitAt = 0
const lastFoundAt = cookies.map(() => 0)
const place = kind === 'unfenced' ? { backend: new UnfencedRedis({ redis: url }) } : { redis: url }
const sessions = createSessions({
  ...place,
  secret: 'for tests only',
  nearCache: { fence: Number(fence) },
  timeout: 100,
  report({ operation, outcome }) {
    if (operation === 'near' && outcome === 'hit') lastHitAt = Date.now()
  },
})

async function readForEver(cookie: string, index: number): Promise<void> {
  for (;;) {
    const begunAt = Date.now()
    const found = await sessions.load(cookie).catch(() => undefined)
    if (found && !found.info.isNew) lastFoundAt[index] = begunAt
    await pause(2)
  }
}

for (const [index, cookie] of cookies.entries()) void readForEver(cookie, index)

const server = createServer((_request, response) => response.end(JSON.stringify({ lastHitAt, lastFoundAt })))
server.listen(0, '127.0.0.1', () => {
  console.log(`listening at http://127.0.0.1:${(server.address() as AddressInfo).port}.`)
})
