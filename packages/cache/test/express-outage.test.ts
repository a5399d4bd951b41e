import { systemClock } from '@stepladder/core'
import { keyPrefix, type RedisServer, startRedis } from '@stepladder/core/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Answer, ExpressApp } from './express-app.ts'

const budgetMs = 200
const sites: ExpressApp[] = []
let redis: RedisServer
let name: string

beforeEach(async () => {
  redis = await startRedis()
  name = keyPrefix('responses')
})
afterEach(async () => {
  await redis.thaw()
  await Promise.all(sites.splice(0).map((site) => site[Symbol.asyncDispose]()))
  await redis.stop()
})

function open(readBudget = budgetMs): ExpressApp {
  const site = new ExpressApp({ name, redis: redis.url, readBudget, clock: systemClock })
  sites.push(site)
  return site
}

/** Servers that have met Redis, and give a busy machine all the time that it takes. */
async function openConnected(count: number): Promise<ExpressApp[]> {
  const opened = Array.from({ length: count }, () => open(10_000))
  for (const { cache } of opened)
    await expect.poll(() => cache.set('warm', 'x'), { timeout: 10_000 }).toBe('done')
  return opened
}

/** Two servers behind one balancer: what their clients ask for has one name. */
const host = { host: 'shop.test' }

async function timed(answer: Promise<Answer>): Promise<{ answer: Answer; ms: number }> {
  const startedAt = performance.now()
  return { answer: await answer, ms: performance.now() - startedAt }
}

test('two servers run one handler for a page that both are asked for, and an invalidation reaches both', async () => {
  let runs = 0
  const both = await openConnected(2)
  for (const site of both) {
    site.app.get('/', site.cached({ tags: ['page'] }), async (_request, response) => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      response.type('bin').send(Buffer.from([0, 255, ++runs]))
    })
  }
  const askBoth = () =>
    Promise.all(both.flatMap((site) => [1, 2, 3].map(() => site.ask('/', { headers: host }))))
  await askBoth()
  expect(runs).toBe(1)
  expect(await both[0]!.cache.invalidate({ tags: ['page'] })).toBe('done')
  await expect
    .poll(
      async () => {
        await askBoth()
        return runs
      },
      { timeout: 10_000 },
    )
    .toBe(2)
})

test('an answer with a cookie reaches its own client only, also where another server waits for it', async () => {
  const both = await openConnected(2)
  for (const site of both) {
    site.app.get('/', site.cached(), async (request, response) => {
      const client = String(request.headers['x-client'])
      await new Promise((resolve) => setTimeout(resolve, 20))
      response.cookie('id', client).send(`for ${client}`)
    })
  }
  const asked = Array.from({ length: 40 }, async (_, client) => {
    const { body } = await both[client % 2]!.ask('/', { headers: { ...host, 'x-client': client } })
    return body === `for ${client}`
  })
  expect(await Promise.all(asked)).not.toContain(false)
})

test.each(['hangs', 'is gone'] as const)(
  'while Redis %s, handlers answer within the budget',
  async (fault) => {
    const site = open()
    site.app.get('/:id', site.cached(), (request, response) => void response.send(request.params.id))
    await site.ask('/warm')
    await (fault === 'hangs' ? redis.freeze() : redis.kill())

    const cold = await Promise.all(Array.from({ length: 20 }, (_, id) => timed(site.ask(`/${id}`))))
    expect(cold.map(({ answer }) => answer.body)).toEqual(Array.from({ length: 20 }, (_, id) => String(id)))
    expect(Math.max(...cold.map(({ ms }) => ms))).toBeLessThan(budgetMs + 1_000)
    const head = await timed(site.ask('/head', { method: 'HEAD' }))
    expect(head.answer.status).toBe(200)
    expect(head.ms).toBeLessThan(budgetMs + 1_000)
  },
)

test('what lies in Redis and is no response costs a run and nobody an error, and makes room for one', async () => {
  const [site, other] = (await openConnected(2)) as [ExpressApp, ExpressApp] // as many as were asked for
  let runs = 0
  site.app.get(
    '/',
    site.cached({ key: () => 'home' }),
    (_request, response) => void response.send(`run ${++runs}`),
  )
  const key = 'http:["http","shop.test","home"]'
  await site.ask('/', { headers: host })
  await expect.poll(() => site.cache.get(key), { timeout: 10_000 }).toMatchObject({ kind: 'stored' })
  for (const value of ['text', null, 7, [], { kind: 'stored' }]) {
    await other.cache.set(key, value)
    await expect.poll(() => site.cache.get(key), { timeout: 10_000 }).toEqual(value)
    expect((await site.ask('/', { headers: host })).status).toBe(200)
    await expect.poll(() => site.cache.get(key), { timeout: 10_000 }).toMatchObject({ kind: 'stored' })
  }
  expect(runs).toBe(6)
})
