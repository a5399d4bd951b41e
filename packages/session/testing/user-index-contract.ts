import { deepEqual, equal, ok } from 'node:assert/strict'
import { sleep } from '@stepladder/core'
import type { SessionBackend } from '../src/backend.ts'
import type { Admission, Room, UserIndex } from '../src/users/user-index.ts'
import { openOther } from './concurrency-promises.ts'
import { userOutagePromises } from './index-outage-promises.ts'
import { usersOf } from './indexes.ts'
import { type Beside, type Promises, skipPromises, testPromises } from './promises.ts'
import { type MakeSessionBackend, readTools, type SessionBackendTools } from './session-backend-tools.ts'

/**
 * What the `users` of every `SessionBackend` promise, as one test each: in its outages too, where the tools have a `place`.
 * Entries expire by the real clock. Throws `InvalidOptionError` or `UnknownOptionError`.
 */
export function testUserIndex(name: string, make: MakeSessionBackend, tools: SessionBackendTools): void {
  const settings = readTools('testUserIndex', tools)
  const { test, place } = tools
  testPromises(name, make, test, ofBackends({ ...lists, ...limits, ...time, ...concurrency }))
  if (place) testPromises(name, make, test, userOutagePromises(settings))
  else skipPromises(name, test, userOutagePromises(settings))
}

type UserPromises = Readonly<
  Record<string, (users: UserIndex, backend: SessionBackend, beside: Beside) => Promise<void>>
>

function ofBackends(promises: UserPromises): Promises {
  const checks = Object.entries(promises).map(([promise, check]): [string, Promises[string]] => [
    promise,
    (backend, beside) => check(usersOf(backend), backend, beside),
  ])
  return Object.fromEntries(checks)
}

const minuteMs = 60_000
const endless: Room = { most: Number.POSITIVE_INFINITY, whenFull: 'add' }
const three: Room = { most: 3, whenFull: 'add' }

const lists: UserPromises = {
  async 'a user has the sessions that were listed for this user, and no others'(users) {
    deepEqual(await users.admit('ada', 'a1', minuteMs, endless), { isAdmitted: true, over: [] })
    await users.renew('ada', 'a2', minuteMs * 2)
    await users.admit('Ada', 'b1', minuteMs, endless)

    deepEqual(await users.list('ada'), ['a1', 'a2'])
    deepEqual(await users.list('Ada'), ['b1'])
    deepEqual(await users.list('nobody'), [])
    deepEqual([...(await users.users())].sort(), ['Ada', 'ada'])
  },

  async 'any name is a name of its own'(users) {
    const names = ['a}b', '{a', '}', 'a:b', 'a*', 'a%', 'a_', "a'", 'ü😀', '1', ' ']
    for (const name of names) await users.admit(name, `of ${name}`, minuteMs, endless)

    for (const name of names) deepEqual(await users.list(name), [`of ${name}`])
    deepEqual([...(await users.users())].sort(), [...names].sort())
  },

  async 'what was removed is gone, and removing what is missing is fine'(users) {
    await users.admit('ada', 'a1', minuteMs, endless)
    await users.admit('ada', 'a2', minuteMs * 2, endless)
    await users.admit('bob', 'a1', minuteMs, endless)
    await users.remove('ada', ['a1', 'missing'])
    await users.remove('nobody', ['a1'])
    await users.remove('ada', [])

    deepEqual(await users.list('ada'), ['a2'])
    deepEqual(await users.list('bob'), ['a1'])
    await users.remove('ada', ['a2'])
    deepEqual(await users.users(), ['bob'])
  },

  async 'the records and the lists do not see each other'(users, backend) {
    await backend.put('user:{ada}', '{}', minuteMs)
    await users.admit('bob', 'b1', minuteMs, endless)

    equal(await backend.length(), 1)
    deepEqual([...(await backend.all()).keys()], ['user:{ada}'])
    await backend.clear()
    deepEqual(await users.list('bob'), ['b1'])
    deepEqual(await users.users(), ['bob'])
  },
}

const limits: UserPromises = {
  async 'who is over the limit is named and stays listed, those first that end first'(users) {
    for (const [index, key] of ['a1', 'a2', 'a3'].entries()) {
      deepEqual(await users.admit('ada', key, minuteMs * (index + 1), three), { isAdmitted: true, over: [] })
    }

    const admission = await users.admit('ada', 'a4', minuteMs * 4, three)
    deepEqual(admission, { isAdmitted: true, over: ['a1'] })
    deepEqual(await users.list('ada'), ['a1', 'a2', 'a3', 'a4'])
    deepEqual(await users.admit('ada', 'a5', minuteMs * 5, three), { isAdmitted: true, over: ['a1', 'a2'] })
  },

  async 'the new one never has to go, though it may end first'(users) {
    for (const key of ['a1', 'a2', 'a3']) await users.admit('ada', key, minuteMs * 2, three)

    const admission = await users.admit('ada', 'brief', minuteMs, three)
    ok(admission.isAdmitted && admission.over.length === 1 && !admission.over.includes('brief'))
  },

  async 'one that is listed already needs no room'(users) {
    for (const key of ['a1', 'a2', 'a3']) await users.admit('ada', key, minuteMs, three)

    deepEqual(await users.admit('ada', 'a2', minuteMs, three), { isAdmitted: true, over: [] })
  },

  async 'nobody is added to a list that is full, where that is refused'(users) {
    const strict: Room = { most: 3, whenFull: 'refuse' }
    const admissions: Admission[] = []
    for (const key of ['a1', 'a2', 'a3', 'a4']) {
      admissions.push(await users.admit('ada', key, minuteMs, strict))
    }

    deepEqual(
      admissions.map(({ isAdmitted }) => isAdmitted),
      [true, true, true, false],
    )
    deepEqual([...(await users.list('ada'))].sort(), ['a1', 'a2', 'a3'])
  },

  async 'of many at once exactly as many are added as there is room for'(users) {
    const strict: Room = { most: 3, whenFull: 'refuse' }
    const admissions = await Promise.all(
      Array.from({ length: 20 }, (_, n) => users.admit('ada', `a${n}`, minuteMs, strict)),
    )

    equal(admissions.filter(({ isAdmitted }) => isAdmitted).length, 3)
    equal((await users.list('ada')).length, 3)
  },
}

const time: UserPromises = {
  async 'an entry is missing when its time is over, and needs no room then'(users) {
    await users.admit('ada', 'brief', 1, three)
    for (const key of ['a1', 'a2']) await users.admit('ada', key, minuteMs, three)
    await sleep(20)

    deepEqual(await users.admit('ada', 'a3', minuteMs * 2, three), { isAdmitted: true, over: [] })
    deepEqual([...(await users.list('ada'))].sort(), ['a1', 'a2', 'a3'])
  },

  async 'a renewed entry lives longer, never shorter, and may be new'(users) {
    await users.admit('ada', 'a1', 50, endless)
    await users.renew('ada', 'a1', minuteMs)
    await users.renew('ada', 'a1', 1)
    await users.renew('bob', 'b1', minuteMs)
    await users.renew('eve', 'e1', 1)
    await sleep(80)

    deepEqual(await users.list('ada'), ['a1'])
    deepEqual(await users.list('bob'), ['b1'])
    deepEqual(await users.list('eve'), [])
    deepEqual([...(await users.users())].sort(), ['ada', 'bob'])
  },
}

const concurrency: UserPromises = {
  async 'of many whom two backends add at once exactly as many are added as there is room for'(
    users,
    backend,
    beside,
  ) {
    const strict: Room = { most: 3, whenFull: 'refuse' }
    const indexes = [users, usersOf(await openOther(backend, beside))]
    const admissions = await Promise.all(
      Array.from({ length: 20 }, (_, n) => indexes[n % 2]!.admit('ada', `a${n}`, minuteMs, strict)),
    )

    const admitted = admissions.flatMap(({ isAdmitted }, n) => (isAdmitted ? [`a${n}`] : []))
    equal(admitted.length, 3)
    for (const index of indexes) deepEqual([...(await index.list('ada'))].sort(), admitted.sort())
  },

  async 'of many whom two backends add at once, each but the last hears that somebody is over'(
    users,
    backend,
    beside,
  ) {
    const one: Room = { most: 1, whenFull: 'add' }
    const indexes = [users, usersOf(await openOther(backend, beside))]
    const admissions = await Promise.all(
      Array.from({ length: 20 }, (_, n) => indexes[n % 2]!.admit('ada', `a${n}`, minuteMs, one)),
    )

    // Whoever comes as the n-th finds n - 1 that have to go.
    const over = admissions.map((admission) => (admission.isAdmitted ? admission.over.length : -1))
    deepEqual(
      over.sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, n) => n),
    )
  },
}
