import { deepEqual, equal } from 'node:assert/strict'
import type { SessionBackend } from '../src/backend.ts'
import { moments } from '../src/testkit/moments.ts'
import type { Beside, Promises } from './promises.ts'
import { race } from './race.ts'
import type { ContractSettings } from './session-backend-tools.ts'

const minuteMs = 60_000
const changesOfEach = 5
const racesAtOnce = 10

/** What two backends on the same records do to them at the same time, as two processes do. */
export function concurrencyPromises({ races, seed }: ContractSettings): Promises {
  return {
    async 'what one backend writes and ends, another on the same records sees at once'(backend, beside) {
      const other = await openOther(backend, beside)
      await backend.put('ada', '{"n":1}', minuteMs)
      equal(await other.get('ada'), '{"n":1}')
      deepEqual(await other.replace('ada', '{"n":1}', '{"n":2}', minuteMs), { isDone: true })
      equal(await backend.get('ada'), '{"n":2}')
      deepEqual(await backend.replace('ada', '{"n":1}', '{"n":3}', minuteMs), {
        isDone: false,
        current: '{"n":2}',
      })
      equal(await other.length(), 1)
      equal(await backend.destroy('ada'), '{"n":2}')
      equal(await other.get('ada'), undefined)
      equal(await other.putNew('ada', '{"n":4}', minuteMs), true)
      equal(await backend.get('ada'), '{"n":4}')
    },

    async 'two backends that replace what they saw, many times at once, lose no change'(backend, beside) {
      const backends = [backend, await openOther(backend, beside)]
      await backend.put('ada', '0', minuteMs)
      const clients = [...backends, ...backends, ...backends, ...backends]
      await Promise.all(clients.map((client) => addOneByOne(client, changesOfEach)))

      equal(await backend.get('ada'), String(clients.length * changesOfEach))
    },

    async [`of ${races} records that one backend ends while another replaces and touches them, none comes back`](
      backend,
      beside,
    ) {
      const other = await openOther(backend, beside)
      const revived: string[] = []
      await inGroups(races, async (number) => {
        const id = `id${number}`
        await backend.put(id, '{}', minuteMs)
        const turns = moments(seed * 1_000_003 + number, 4)
        const calls: (() => Promise<unknown>)[] = [
          () => backend.destroy(id),
          () => other.replace(id, '{}', '{"n":1}', minuteMs),
          () => other.touch(id, minuteMs),
          () => other.replace(id, '{"n":1}', '{"n":2}', minuteMs),
        ]
        await Promise.all(calls.map((call, place) => turns.wait(place).then(call)))
        const found = [await backend.get(id), await other.get(id)]
        if (found.some((text) => text !== undefined)) revived.push(`${id}: ${found}`)
      })

      deepEqual(revived, [])
    },

    async [`of ${races} records that two backends write, touch and end at once, each is what some order of the calls makes it`](
      backend,
      beside,
    ) {
      const backends = [backend, await openOther(backend, beside)]
      await inGroups(races, (number) =>
        race(`id${number}`, { backends, seed: seed * 1_000_003 + number, pause: someTurns }),
      )
    },
  }
}

/** Another backend, of which it is sure that it is on the same records. */
export async function openOther(backend: SessionBackend, { open }: Beside): Promise<SessionBackend> {
  const other = await open()
  await backend.put('here', '{}', minuteMs)
  const message = 'two backends that were made with the same prefix do not see the same records'
  equal(await other.get('here'), '{}', message)
  equal(await other.destroy('here'), '{}', message)
  equal(await backend.get('here'), undefined, message)
  return other
}

async function addOneByOne(backend: SessionBackend, count: number): Promise<void> {
  let current = (await backend.get('ada')) ?? 'nothing'
  for (let added = 0; added < count; ) {
    const next = String(Number(current) + 1)
    const replaced = await backend.replace('ada', current, next, minuteMs)
    if (replaced.isDone) added += 1
    current = replaced.isDone ? next : (replaced.current ?? 'nothing')
  }
}

async function inGroups(count: number, task: (number: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += racesAtOnce) {
    const size = Math.min(racesAtOnce, count - from)
    await Promise.all(Array.from({ length: size }, (_, n) => task(from + n)))
  }
}

/** Turns of the event loop, and no time: a busy machine plays the same races. */
async function someTurns(share: number): Promise<void> {
  for (let turn = Math.floor(share * 4); turn > 0; turn--) await new Promise(setImmediate)
}
