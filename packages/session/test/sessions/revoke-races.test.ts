import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { keyPrefix, seededRandom, seeds, sharedRedis, spawnNode } from '@stepladder/core/testing'
import { RedisSessionBackend } from '@stepladder/session'
import { afterEach, describe, expect, test } from 'vitest'
import { hammer, openHammered } from './hammer.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

const count = 50

/** Ends all sessions of a user while two processes use them; how many live on, and how many are listed. */
async function left(
  seed: number,
  byHand?: { readonly isHeld: Promise<void>; hold(): Promise<void>; letGo(): void },
): Promise<{ ended: number; alive: number; listed: number }> {
  const { url } = await sharedRedis()
  const prefix = keyPrefix()
  const sessions = openHammered(url, prefix)
  const backend = new RedisSessionBackend({ redis: url, prefix })
  opened.push(
    () => sessions.close(),
    () => backend.close(),
  )
  const cookies = await Promise.all(
    Array.from({ length: count }, async () => {
      const session = await sessions.load(undefined)
      session.user = 'ada'
      return (await sessions.commit(session))!.split(';')[0]!
    }),
  )
  const args = [url, prefix, String(seed), ...cookies]
  const file = join(__dirname, 'hammer.fixture.ts')
  const child = spawnNode(file, { args, execArgv: ['--conditions=@stepladder/source'] })
  opened.push(() => child.stop())
  await child.waitForOutput(/begun/)
  const here = cookies.map((cookie, n) => hammer(sessions, cookie, seed * 2_000 + n, byHand?.hold))
  await pause(100 + seededRandom(seed)() * 200)
  await byHand?.isHeld

  const ended = await sessions.of('ada').revokeAll()

  byHand?.letGo()

  // What is alive then is used for ever.
  const allEnded = Promise.all([...here, child.waitForOutput(/over/)])
  await Promise.race([allEnded, pause(byHand ? 500 : 20_000)])
  const records = [...(await backend.all()).values()].map((text) => JSON.parse(text))
  const listed = await sessions.of('ada').list()
  return { ended, alive: records.filter(({ user }) => user === 'ada').length, listed: listed.length }
}

describe('the end of all sessions of a user, while two processes use them', () => {
  test.each(seeds(2))('is the end of each that was begun before (seed %i)', async (seed) => {
    const { ended, ...after } = await left(seed)
    expect(after).toEqual({ alive: 0, listed: 0 })
    expect(ended).toBeGreaterThan(count / 4)
  })

  test('leaves those whose fields an app is carrying over by hand', async () => {
    const [held, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const hold = () => {
      held.resolve()
      return gate.promise
    }

    expect((await left(1, { isHeld: held.promise, hold, letGo: gate.resolve })).alive).toBeGreaterThan(0)
  })
})
