import { deepEqual, equal, ok } from 'node:assert/strict'
import type { SessionBackend } from '../src/backend.ts'
import type { ExpiryIndex } from '../src/expiry/expiry-index.ts'
import type { MakeSessionBackend, SessionBackendTools } from './session-backend-contract.ts'

/** What the `expiries` of every `SessionBackend` promise, as one test each. Records expire by the real clock. */
export function testExpiryIndex(name: string, make: MakeSessionBackend, { test }: SessionBackendTools): void {
  for (const [promise, check] of Object.entries(promises)) {
    test(`${name}: ${promise}`, async () => {
      const backend = await make()
      await check(indexOf(backend), backend).finally(() => backend.close())
    })
  }
}

type Promises = Readonly<Record<string, (expiries: ExpiryIndex, backend: SessionBackend) => Promise<void>>>

const minuteMs = 60_000

const promises: Promises = {
  async 'a session that has expired is taken once, with what was known of it'(expiries, backend) {
    await backend.put('ada', '{}', 50)
    await expiries.note('ada', 'about Ada', 50)
    await backend.put('bob', '{}', minuteMs)
    await expiries.note('bob', 'about Bob', minuteMs)
    deepEqual(await expiries.takeExpired(10), [])
    await pause(100)

    const taken = await Promise.all(Array.from({ length: 10 }, () => expiries.takeExpired(10)))
    deepEqual(taken.flat(), ['about Ada'])
    deepEqual(await expiries.takeExpired(10), [])
  },

  async 'one that lives longer than was known is taken when it ends'(expiries, backend) {
    await backend.put('ada', '{}', minuteMs)
    await expiries.note('ada', 'about Ada', 1)
    await pause(20)
    deepEqual(await expiries.takeExpired(10), [])

    await backend.touch('ada', 1)
    await pause(20)
    // It was put off until then, and is not looked at before.
    deepEqual(await expiries.takeExpired(10), [])
  },

  async 'one that has expired does not wait behind those that live on'(expiries, backend) {
    for (const n of Array.from({ length: 40 }).keys()) {
      await backend.put(`alive ${n}`, '{}', minuteMs)
      await expiries.note(`alive ${n}`, `about ${n}`, 1)
    }
    await expiries.note('ada', 'about Ada', 2)
    await pause(20)

    deepEqual(await expiries.takeExpired(5), ['about Ada'])
  },

  async 'what was forgotten is taken by nobody, and forgotten once'(expiries) {
    await expiries.note('ada', 'about Ada', 1)
    deepEqual(await Promise.all([expiries.forget('ada'), expiries.forget('ada')]), [true, false])
    await pause(20)

    deepEqual(await expiries.takeExpired(10), [])
    equal(await expiries.forget('nobody'), false)
  },

  async 'no more are taken than were asked for, and all in the end'(expiries) {
    const keys = Array.from({ length: 50 }, (_, n) => `key ${n} é'"%`)
    for (const key of keys) await expiries.note(key, `about ${key}`, 1)
    await pause(20)

    const taken: string[] = []
    for (let looks = 0; looks < 50 && taken.length < keys.length; looks++) {
      const some = await expiries.takeExpired(7)
      ok(some.length <= 7)
      taken.push(...some)
    }
    deepEqual(taken.sort(), keys.map((key) => `about ${key}`).sort())
  },
}

function indexOf({ expiries }: SessionBackend): ExpiryIndex {
  ok(expiries, 'this backend does not tell what has expired')
  return expiries
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
