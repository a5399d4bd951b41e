import { deepEqual, equal, ok } from 'node:assert/strict'
import { sleep } from '@stepladder/core'
import type { SessionBackend } from '../src/backend.ts'
import type { ExpiryIndex } from '../src/expiry/expiry-index.ts'
import { openOther } from './concurrency-promises.ts'
import { expiryOutagePromises } from './index-outage-promises.ts'
import { expiriesOf } from './indexes.ts'
import { type Beside, type Promises, skipPromises, testPromises } from './promises.ts'
import { type MakeSessionBackend, readTools, type SessionBackendTools } from './session-backend-tools.ts'

/**
 * What the `expiries` of every `SessionBackend` promise, as one test each: in its outages too, where the tools have a
 * `place`. Records expire by the real clock. Throws `InvalidOptionError` or `UnknownOptionError`.
 */
export function testExpiryIndex(name: string, make: MakeSessionBackend, tools: SessionBackendTools): void {
  const settings = readTools('testExpiryIndex', tools)
  const { test, place } = tools
  testPromises(name, make, test, ofBackends(promises))
  if (place) testPromises(name, make, test, expiryOutagePromises(settings))
  else skipPromises(name, test, expiryOutagePromises(settings))
}

type ExpiryPromises = Readonly<
  Record<string, (expiries: ExpiryIndex, backend: SessionBackend, beside: Beside) => Promise<void>>
>

function ofBackends(all: ExpiryPromises): Promises {
  const checks = Object.entries(all).map(([promise, check]): [string, Promises[string]] => [
    promise,
    (backend, beside) => check(expiriesOf(backend), backend, beside),
  ])
  return Object.fromEntries(checks)
}

const minuteMs = 60_000

const promises: ExpiryPromises = {
  async 'a session that has expired is taken once, with what was known of it'(expiries, backend) {
    await backend.put('bob', '{}', minuteMs)
    await expiries.note('bob', 'about Bob', minuteMs)
    deepEqual(await expiries.takeExpired(10), [])
    await backend.put('ada', '{}', 50)
    await expiries.note('ada', 'about Ada', 50)
    await sleep(100)

    const taken = await Promise.all(Array.from({ length: 10 }, () => expiries.takeExpired(10)))
    deepEqual(taken.flat(), ['about Ada'])
    deepEqual(await expiries.takeExpired(10), [])
  },

  async 'one that lives longer than was known is taken when it ends'(expiries, backend) {
    await backend.put('ada', '{}', minuteMs)
    await expiries.note('ada', 'about Ada', 1)
    await sleep(20)
    deepEqual(await expiries.takeExpired(10), [])

    await backend.touch('ada', 1)
    await sleep(20)
    // It was put off until then, and is not looked at before.
    deepEqual(await expiries.takeExpired(10), [])
  },

  async 'one that has expired does not wait behind those that live on'(expiries, backend) {
    for (const n of Array.from({ length: 40 }).keys()) {
      await backend.put(`alive ${n}`, '{}', minuteMs)
      await expiries.note(`alive ${n}`, `about ${n}`, 1)
    }
    await expiries.note('ada', 'about Ada', 2)
    await sleep(20)

    deepEqual(await expiries.takeExpired(5), ['about Ada'])
  },

  async 'what was forgotten is taken by nobody, and forgotten once'(expiries) {
    await expiries.note('ada', 'about Ada', 1)
    const forgotten = await Promise.all([expiries.forget('ada'), expiries.forget('ada')])
    // Which of the two was first is nobody's business.
    deepEqual(forgotten.sort(), [false, true])
    await sleep(20)

    deepEqual(await expiries.takeExpired(10), [])
    equal(await expiries.forget('nobody'), false)
  },

  async 'no more are taken than were asked for, and all in the end'(expiries) {
    const keys = Array.from({ length: 50 }, (_, n) => `key ${n} é'"%`)
    for (const key of keys) await expiries.note(key, `about ${key}`, 1)
    await sleep(20)

    const taken: string[] = []
    for (let looks = 0; looks < 50 && taken.length < keys.length; looks++) {
      const some = await expiries.takeExpired(7)
      ok(some.length <= 7)
      taken.push(...some)
    }
    deepEqual(taken.sort(), keys.map((key) => `about ${key}`).sort())
  },

  async 'of two backends that take and forget at once, one alone has each of them'(
    expiries,
    backend,
    beside,
  ) {
    const indexes = [expiries, expiriesOf(await openOther(backend, beside))]
    const keys = Array.from({ length: 30 }, (_, n) => `key ${n}`)
    for (const key of keys) await expiries.note(key, key, 1)
    await sleep(20)

    const forgetting = keys.flatMap((key) =>
      indexes.map(async (index) => ((await index.forget(key)) ? [key] : [])),
    )
    const taking = indexes.flatMap((index) => [index.takeExpired(10), index.takeExpired(10)])
    const had = [...(await Promise.all([...forgetting, ...taking])).flat()]

    had.push(...(await expiries.takeExpired(keys.length)))
    deepEqual(had.sort(), keys.sort())
  },
}
