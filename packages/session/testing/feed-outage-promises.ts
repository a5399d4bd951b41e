import { ok } from 'node:assert/strict'
import { sleep, systemClock } from '@stepladder/core'
import type { Followed, Following } from './following.ts'
import { breaksOf, eventually, type Outage, outagesOf, whileAway } from './outages.ts'
import type { Promises } from './promises.ts'
import type { ContractSettings } from './session-backend-tools.ts'

const minuteMs = 60_000
const awayMs = 100
const numbers = Array.from({ length: 20 }, (_, n) => n)

/** What a feed claims while it cannot hear, and tells when it hears again. */
export function feedOutagePromises(follow: Following, settings: ContractSettings): Promises {
  const { place, fenceMs } = settings
  const away = outagesOf(place).map(
    (outage): Promises => ({
      [`while the place is ${outage.state}, memory is not trusted for longer than the fence`]: follow(
        (followed) => untrusted(followed, outage, fenceMs),
      ),
    }),
  )
  const afterwards = breaksOf(place).map(
    (outage): Promises => ({
      [`after the place was ${outage.state}, memory is trusted again, and no change goes untold: if not by itself, by a gap`]:
        follow((followed) => untold(followed, outage, settings)),
    }),
  )
  return Object.assign({}, ...away, ...afterwards)
}

async function untrusted({ follower }: Followed, outage: Outage, fenceMs: number): Promise<void> {
  await whileAway(outage, async () => {
    const awaySince = systemClock.monotonic()
    // Whatever was heard at last was said before.
    const trustedUntil = awaySince + fenceMs
    while (systemClock.monotonic() < trustedUntil + fenceMs / 2) {
      const tooLongMs = Math.round(follower.feed.heardUntil - trustedUntil)
      ok(tooLongMs <= 0, `memory may be trusted ${tooLongMs} ms longer than the fence`)
      await sleep(10)
    }
  })
  await follower.begin()
}

/** Three times, since it depends on moments who misses what. */
async function untold(
  { follower, other }: Followed,
  outage: Outage,
  { recoverWithinMs }: ContractSettings,
): Promise<void> {
  const change = async (id: string) => {
    const begunAt = systemClock.monotonic()
    await eventually(recoverWithinMs, () => other.put(id, '{}', minuteMs))
    await follower.hear(id, begunAt)
  }
  for (let time = 0; time < 3; time++) {
    await follower.begin()
    // At once: what is written before connections are made anew may be told to nobody.
    const { first } = await whileAway(outage, async () => {
      const changes = Promise.all(numbers.map((n) => change(`first ${n}`)))
      changes.catch(() => {}) // it is awaited when the place is back
      await sleep(outage.isBrief ? 0 : awayMs)
      return { first: changes }
    })
    await Promise.all([first, ...numbers.map((n) => change(`then ${n}`))])
  }
  await follower.begin()
}
