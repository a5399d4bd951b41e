import { ok } from 'node:assert/strict'
import { sleep, systemClock } from '@stepladder/core'
import type { SessionBackend } from '../src/backend.ts'
import type { Followed, Following } from './following.ts'
import { breaksOf, eventually, type Outage, outagesOf, whileAway } from './outages.ts'
import type { Promises } from './promises.ts'
import type { ContractSettings } from './session-backend-tools.ts'

const minuteMs = 60_000
const awayMs = 100
const ids = Array.from({ length: 20 }, (_, n) => `id${n}`)

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
    while (systemClock.monotonic() < trustedUntil + fenceMs) {
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
  const write = () => writeAll(other, recoverWithinMs)
  for (let time = 0; time < 3; time++) {
    await follower.begin()
    // At once: what is written before connections are made anew may be told to nobody.
    const { writing } = await whileAway(outage, async () => {
      const begun = write()
      await sleep(outage.isBrief ? 0 : awayMs)
      return { writing: begun }
    })
    const written = [...(await writing), ...(await write())]
    for (const { id, begunAt } of written) await follower.hear(id, begunAt)
  }
  await follower.begin()
}

interface Written {
  readonly id: string
  readonly begunAt: number
}

/** Each as often as it takes until it is acknowledged. */
function writeAll(backend: SessionBackend, recoverWithinMs: number): Promise<readonly Written[]> {
  const begunAt = systemClock.monotonic()
  return Promise.all(
    ids.map(async (id) => {
      await eventually(recoverWithinMs, () => backend.put(id, '{}', minuteMs))
      return { id, begunAt }
    }),
  )
}
