import { FakeClock } from '@stepladder/core/testing'
import { createSessions, MemorySessionBackend } from '@stepladder/session'
import { expect, test } from 'vitest'
import { cookieOf, type Data } from './set-up.ts'

/** Lets sessions end only once the gate is open; what leads to them goes at once. */
class GatedBackend extends MemorySessionBackend {
  readonly gate: PromiseWithResolvers<void> = Promise.withResolvers()

  override async destroy(id: string): Promise<string | undefined> {
    const isSession = (await this.get(id))?.includes('"user"')
    if (isSession) await this.gate.promise
    return super.destroy(id)
  }
}

test('a logout by an old id is not acknowledged while another one is still ending the session', async () => {
  const clock = new FakeClock()
  const backend = new GatedBackend({ clock })
  const open = () =>
    createSessions<Data>({ secret: 'for tests only', backend, clock, rotateEvery: '1m', rotationGrace: '1m' })
  const [here, there] = [open(), open()]
  const begun = await here.load(undefined)
  begun.user = 'ada'
  const old = cookieOf(await here.commit(begun))
  const [one, two] = [await here.load(old), await there.load(old)]
  await clock.advance(60_000)
  const rotated = cookieOf(await here.commit(await here.load(old)))
  expect(rotated).not.toBe(old)

  const first = one.destroy()
  const second = two.destroy().then(async () => (await there.load(rotated)).user)
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
  backend.gate.resolve()

  await first
  expect(await second).toBeUndefined()
  for (const cookie of [old, rotated]) expect((await here.load(cookie)).info.isNew).toBe(true)
})
