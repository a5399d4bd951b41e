import { deepEqual, equal, ok } from 'node:assert/strict'
import { sleep, systemClock } from '@stepladder/core'
import type { SessionBackend } from '../src/backend.ts'
import { feedOutagePromises } from './feed-outage-promises.ts'
import { type Following, following } from './following.ts'
import { type Promises, skipPromises, testPromises } from './promises.ts'
import {
  type ContractSettings,
  type MakeSessionBackend,
  readTools,
  type SessionBackendTools,
} from './session-backend-tools.ts'

/**
 * What `follow` of every `SessionBackend` that has it promises, as one test each: in outages too, where the tools have a
 * `place`. Throws `InvalidOptionError` or `UnknownOptionError`.
 */
export function testChangeFeed(name: string, make: MakeSessionBackend, tools: SessionBackendTools): void {
  const settings = readTools('testChangeFeed', tools)
  const { test, place, elsewhere } = tools
  const follow = following(settings, elsewhere)
  testPromises(name, make, test, feedPromises(follow, settings))
  if (place) testPromises(name, make, test, feedOutagePromises(follow, settings))
  else skipPromises(name, test, feedOutagePromises(follow, settings))
}

type Change = (backend: SessionBackend) => Promise<unknown>

const minuteMs = 60_000
const many = 200

/** Every way to change what is under "ada", in an order in which each changes something. */
const changes: Readonly<Record<string, Change>> = {
  putNew: (backend) => backend.putNew('ada', '{}', minuteMs),
  put: (backend) => backend.put('ada', '{"n":1}', minuteMs),
  replace: (backend) => backend.replace('ada', '{"n":1}', '{"n":2}', minuteMs),
  touch: (backend) => backend.touch('ada', minuteMs),
  destroy: (backend) => backend.destroy('ada'),
  'put where nothing is': (backend) => backend.put('ada', '{}', minuteMs),
  clear: (backend) => backend.clear(),
}

function feedPromises(follow: Following, { fenceMs }: ContractSettings): Promises {
  return {
    'each change that another backend makes is told, before memory may be trusted to know it': follow(
      async ({ follower, other }) => {
        for (const [what, change] of Object.entries(changes)) {
          const begunAt = systemClock.monotonic()
          await change(other)
          await follower.hear('ada', begunAt, `${what} by another backend`)
        }
      },
    ),

    'so is each change that the backend makes itself': follow(async ({ follower, backend }) => {
      for (const [what, change] of Object.entries(changes)) {
        const begunAt = systemClock.monotonic()
        await change(backend)
        await follower.hear('ada', begunAt, `${what} by the backend itself`)
      }
    }),

    'of many records that are changed at once, each is told': follow(async ({ follower, backend, other }) => {
      const ids = Array.from({ length: many }, (_, n) => `é'"%_*${n}`)
      const begunAt = systemClock.monotonic()
      await Promise.all(ids.map((id, n) => (n % 2 ? backend : other).put(id, '{}', minuteMs)))
      for (const id of ids) await follower.hear(id, begunAt)
    }),

    'what is only read is not told': follow(async ({ follower, other }) => {
      const begunAt = systemClock.monotonic()
      await other.put('ada', '{}', minuteMs)
      await follower.hear('ada', begunAt)
      const toldThen = follower.told
      for (let n = 0; n < 20; n++) equal(await other.get('ada'), '{}')
      await follower.begin()
      equal(follower.told, toldThen)
    }),

    'a feed that is closed tells nothing and is not trusted, and the backend works on': follow(
      async ({ follower, backend, other }) => {
        await Promise.all([other.put('ada', '{}', minuteMs), follower.feed.close()])
        const toldThen = follower.told
        ok(!follower.trusts, 'memory may be trusted though nobody listens')
        await other.put('bob', '{}', minuteMs)
        await sleep(fenceMs / 2)

        equal(follower.told, toldThen)
        ok(!follower.trusts, 'memory may be trusted though nobody listens')
        deepEqual(await Promise.all([backend.get('ada'), backend.get('bob')]), ['{}', '{}'])
        await follower.feed.close()
      },
    ),
  }
}
