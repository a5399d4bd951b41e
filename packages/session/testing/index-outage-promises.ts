import { deepEqual, equal } from 'node:assert/strict'
import { sleep } from '@stepladder/core'
import type { SessionBackend } from '../src/backend.ts'
import type { Room, UserIndex } from '../src/users/user-index.ts'
import { expiriesOf, usersOf } from './indexes.ts'
import { breaksOf, eventually, type Outage, outagesOf, whileAway } from './outages.ts'
import type { Promises } from './promises.ts'
import type { ContractSettings } from './session-backend-tools.ts'
import { allEnded, answersOf, type Calls, endInTheEnd, makeCalls } from './watched-call.ts'

const minuteMs = 60_000
/** How long to look whether a call says something that nobody can know. */
const awayMs = 200
/** How long it is away where only what comes after it matters. */
const momentMs = 50
const endless: Room = { most: Number.POSITIVE_INFINITY, whenFull: 'add' }

/** What the index of users says while the place does not answer, and after it does again. */
export function userOutagePromises({ place, recoverWithinMs }: ContractSettings): Promises {
  const away = outagesOf(place).map((outage) =>
    silentWhile(
      outage,
      recoverWithinMs,
      'nobody is told who is listed, or that somebody is',
      async (backend) => {
        const users = usersOf(backend)
        await eventually(recoverWithinMs, () => users.admit('ada', 'a1', minuteMs, endless))
        return callsForUsers(users)
      },
    ),
  )
  const afterwards = breaksOf(place).map(
    (outage): Promises => ({
      async [`after the place was ${outage.state}, the lists are as they were, and can be added to`](
        backend,
      ) {
        const users = usersOf(backend)
        await eventually(recoverWithinMs, () => users.renew('ada', 'a1', minuteMs))
        await whileAway(outage, () => allEnded(makeCalls({ list: () => users.list('ada') }), momentMs))

        deepEqual(await eventually(recoverWithinMs, () => users.list('ada')), ['a1'])
        deepEqual(await eventually(recoverWithinMs, () => users.admit('ada', 'a2', 2 * minuteMs, endless)), {
          isAdmitted: true,
          over: [],
        })
        deepEqual(await eventually(recoverWithinMs, () => users.list('ada')), ['a1', 'a2'])
      },
    }),
  )
  return Object.assign({}, ...away, ...afterwards)
}

/** What the index of expiries says while the place does not answer, and after it does again. */
export function expiryOutagePromises({ place, recoverWithinMs }: ContractSettings): Promises {
  const away = outagesOf(place).map((outage) =>
    silentWhile(
      outage,
      recoverWithinMs,
      'nobody is told what has expired, or what has not',
      async (backend) => {
        const expiries = expiriesOf(backend)
        await eventually(recoverWithinMs, () => expiries.note('ada', 'about Ada', 1))
        return {
          note: () => expiries.note('bob', 'about Bob', minuteMs),
          forget: () => expiries.forget('eve'),
          takeExpired: () => expiries.takeExpired(10),
        }
      },
    ),
  )
  const afterwards = breaksOf(place).map(
    (outage): Promises => ({
      async [`after the place was ${outage.state}, what was noted before is taken when it has expired`](
        backend,
      ) {
        const expiries = expiriesOf(backend)
        await eventually(recoverWithinMs, () => expiries.note('ada', 'about Ada', 1))
        await whileAway(outage, () => sleep(momentMs))

        // What was taken while nobody could say so is nobody's any more: nothing is asked for until the place is back.
        equal(await eventually(recoverWithinMs, () => expiries.forget('nobody')), false)
        deepEqual(await eventually(recoverWithinMs, () => expiries.takeExpired(10)), ['about Ada'])
      },
    }),
  )
  return Object.assign({}, ...away, ...afterwards)
}

function callsForUsers(users: UserIndex): Calls {
  return {
    admit: () => users.admit('ada', 'a2', minuteMs, endless),
    renew: () => users.renew('bob', 'b1', minuteMs),
    remove: () => users.remove('eve', ['e1']),
    list: () => users.list('ada'),
    users: () => users.users(),
  }
}

/** While the place is away, none of the calls is answered; when it is back, they have all ended. */
function silentWhile(
  outage: Outage,
  recoverWithinMs: number,
  promise: string,
  prepare: (backend: SessionBackend) => Promise<Calls>,
): Promises {
  return {
    async [`while the place is ${outage.state}, ${promise}`](backend) {
      const toMake = await prepare(backend)
      const calls = await whileAway(outage, async () => {
        const begun = makeCalls(toMake)
        await allEnded(begun, awayMs)
        deepEqual(answersOf(begun), [])
        return begun
      })
      await endInTheEnd(calls, recoverWithinMs)
    },
  }
}
