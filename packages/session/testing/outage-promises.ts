import { deepEqual, equal, ok } from 'node:assert/strict'
import { sleep } from '@stepladder/core'
import type { SessionBackend } from '../src/backend.ts'
import { Burst } from './burst.ts'
import { openOther } from './concurrency-promises.ts'
import { breaksOf, eventually, type Outage, outagesOf, whileAway } from './outages.ts'
import type { Promises } from './promises.ts'
import { race } from './race.ts'
import type { ContractSettings } from './session-backend-tools.ts'
import { allEnded, answersOf, type Calls, endInTheEnd, makeCalls, type WatchedCall } from './watched-call.ts'

const minuteMs = 60_000
/** Who does not end a call by itself may take as long as the place is away: so long, here. */
const awayMs = 200
/** Whoever has no answer after so many times what one may take has none. */
const noAnswer = 10
const racesUnderWay = 5
/** When the place breaks, as shares of the time that the calls take in quiet times: some are answered, others not yet. */
const sharesOfBrief = [0.2, 0.4, 0.6, 0.8]
const sharesOfLong = [0.5]

/** What calls come to while the place does not answer, and after it does again. */
export function outagePromises(settings: ContractSettings): Promises {
  const promises = [
    ...outagesOf(settings.place).map((outage) => whileAwayPromises(outage, settings)),
    ...breaksOf(settings.place).map((outage) => afterwardsPromises(outage, settings)),
  ]
  return Object.assign({}, ...promises)
}

function whileAwayPromises(outage: Outage, settings: ContractSettings): Promises {
  const { state } = outage
  const { answerWithinMs, recoverWithinMs } = settings
  const noAnswerMs = noAnswer * answerWithinMs
  return {
    async [`while the place is ${state}, no call says that something is done, or that nothing is there`](
      backend,
    ) {
      for (const id of ['kept', 'replaced', 'touched', 'ended']) await backend.put(id, '{}', minuteMs)
      const calls = await whileAway(outage, async () => {
        const begun = makeCalls(callsFor(backend))
        await allEnded(begun, backend.endsInTime ? noAnswerMs : awayMs)
        deepEqual(lies(begun), [])
        return begun
      })
      await endInTheEnd(calls, recoverWithinMs)
    },

    async [`while the place is ${state}, calls end within ${answerWithinMs} ms where the backend says that they end in time; elsewhere, when it is back`](
      backend,
    ) {
      await backend.put('kept', '{}', minuteMs)
      const calls = await whileAway(outage, () =>
        threeTimes(backend, backend.endsInTime ? noAnswerMs : awayMs),
      )
      await endInTheEnd(calls.flat(), recoverWithinMs)
      if (!backend.endsInTime) return

      const longest = calls.map((round) => Math.max(...round.map(({ end }) => end?.ms ?? noAnswerMs)))
      ok(Math.max(...longest) < noAnswerMs, `a call had no end after ${noAnswerMs} ms`)
      // The quickest of three, for the machine may be busy.
      const ms = Math.round(Math.min(...longest))
      ok(ms <= answerWithinMs, `of three times, the quickest time all calls had ended was after ${ms} ms`)
    },
  }
}

function afterwardsPromises(outage: Outage, settings: ContractSettings): Promises {
  const { seed, answerWithinMs, recoverWithinMs } = settings
  const { state } = outage
  return {
    async [`after the place was ${state}, the same backends work again, and what was done before is there`](
      backend,
      beside,
    ) {
      const backends = [backend, await openOther(backend, beside)]
      await backend.put('kept', '{"n":1}', minuteMs)
      await backend.put('ended', '{}', minuteMs)
      await backend.destroy('ended')
      const before = backends.flatMap((each) => makeCalls({ get: () => each.get('kept') }))
      const after = await whileAway(outage, async () => {
        const begun = backends.flatMap((each) => makeCalls({ get: () => each.get('kept') }))
        await allEnded(begun, awayMs)
        return begun
      })

      for (const each of backends) {
        equal(await eventually(recoverWithinMs, () => each.get('kept')), '{"n":1}')
        equal(await eventually(recoverWithinMs, () => each.get('ended')), undefined)
        await eventually(recoverWithinMs, () => each.put('new', '{}', minuteMs))
        equal(await eventually(recoverWithinMs, () => each.get('new')), '{}')
      }
      await endInTheEnd([...before, ...after], recoverWithinMs)
    },

    async [`what is under way when the place is ${state} is done or not, and whoever was told so was told the truth`](
      backend,
      beside,
    ) {
      const backends = [backend, await openOther(backend, beside)]
      const options = { backends, pause: (share: number) => sleep(share * 10), recoverWithinMs }
      const prepare = (name: string) => Burst.prepare(backend, name, recoverWithinMs)
      const quietMs = await (await prepare('quiet')).run()
      const forMs = backend.endsInTime ? answerWithinMs + 50 : 100
      for (const [round, share] of (outage.isBrief ? sharesOfBrief : sharesOfLong).entries()) {
        const burst = await prepare(`round ${round}`)
        const racing = Array.from({ length: racesUnderWay }, (_, n) =>
          race(`round ${round}.${n}`, { ...options, seed: seed * 1_000_003 + round * racesUnderWay + n }),
        )
        await allOver([...racing, burst.run(), breakAfter(share * quietMs, outage, forMs)])
        await burst.check(recoverWithinMs)
      }
    },
  }
}

/** One of each kind; those that write have records of their own. */
function callsFor(backend: SessionBackend): Calls {
  return {
    get: () => backend.get('kept'),
    put: () => backend.put('put', '{}', minuteMs),
    putNew: () => backend.putNew('new', '{}', minuteMs),
    replace: () => backend.replace('replaced', '{}', '{"n":1}', minuteMs),
    touch: () => backend.touch('touched', minuteMs),
    destroy: () => backend.destroy('ended'),
    all: () => backend.all().then(({ size }) => size),
    length: () => backend.length(),
  }
}

/** A record that somebody remembers may be shown; whatever else is said, nobody can know. */
function lies(calls: readonly WatchedCall[]): readonly string[] {
  return answersOf(calls).filter((answer) => answer !== "get answered '{}'")
}

async function threeTimes(backend: SessionBackend, patienceMs: number): Promise<WatchedCall[][]> {
  const rounds: WatchedCall[][] = []
  for (let round = 0; round < 3; round++) {
    // What goes over all records may take its time.
    const { all: _, length: __, ...ofOne } = callsFor(backend)
    const calls = makeCalls(ofOne)
    rounds.push([...calls])
    if (!(await allEnded(calls, patienceMs))) break
  }
  return rounds
}

async function breakAfter(ms: number, { hit, mend, isBrief }: Outage, forMs: number): Promise<void> {
  // Timers are too coarse.
  for (const at = performance.now() + ms; performance.now() < at; ) await new Promise(setImmediate)
  await hit()
  if (!isBrief) await sleep(forMs)
  await mend()
}

/** As `Promise.all`, but not before the last of them is over: the place must not be left broken. */
async function allOver(tasks: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(tasks)
  await Promise.all(tasks)
}
