import { createSessions, MemorySessionBackend } from '@stepladder/session'
import { expect, test } from 'vitest'
import { cookieOf, type Data } from './set-up.ts'

type Call = 'put' | 'replace' | 'touch' | 'destroy' | 'get'

/** Never answers one call, as over a connection that was lost without a word. */
class HungOnce extends MemorySessionBackend {
  hangs: Call | undefined

  override put(...args: Parameters<MemorySessionBackend['put']>) {
    return this.#hang('put') ?? super.put(...args)
  }

  override replace(...args: Parameters<MemorySessionBackend['replace']>) {
    return this.#hang('replace') ?? super.replace(...args)
  }

  override destroy(...args: Parameters<MemorySessionBackend['destroy']>) {
    return this.#hang('destroy') ?? super.destroy(...args)
  }

  override get(...args: Parameters<MemorySessionBackend['get']>) {
    return this.#hang('get') ?? super.get(...args)
  }

  #hang(call: Call): Promise<never> | undefined {
    if (this.hangs !== call) return undefined
    this.hangs = undefined
    return new Promise(() => {})
  }
}

async function setUp() {
  const backend = new HungOnce()
  const sessions = createSessions<Data>({ secret: 'for tests only', backend, timeout: 100 })
  const session = await sessions.load(undefined)
  session.views = 1
  const cookie = cookieOf(await sessions.commit(session))
  return { backend, sessions, load: () => sessions.load(cookie) }
}

test.each(['replace', 'destroy', 'get'] as const)(
  'a %s that is never answered fails its own request, and the session can be changed again after it',
  async (call) => {
    const { backend, load } = await setUp()
    const first = await load()
    backend.hangs = call
    const failing =
      call === 'replace' ? first.increment('views') : call === 'destroy' ? first.destroy() : load()
    await expect(failing).rejects.toMatchObject({ code: 'SESSION_UNAVAILABLE' })

    await soon(async () => {
      const second = await load()
      second.text = 'again'
      await second.save()
    })
    await soon(async () => (await load()).destroy())
    expect((await load()).info.isNew).toBe(true)
  },
)

test('what waits behind a change that is never answered is not lost: it fails, or it is saved', async () => {
  const { backend, load } = await setUp()
  const all = await Promise.all(Array.from({ length: 10 }, load))
  backend.hangs = 'replace'

  const ends = await Promise.allSettled(all.map((session) => session.increment('views')))

  const done = ends.filter(({ status }) => status === 'fulfilled').length
  await soon(async () => {
    expect((await load()).views).toBeGreaterThanOrEqual(1 + done)
    await (await load()).increment('views')
  })
})

/** When nothing else is answered meanwhile, the store is spared for a moment; and a machine may be busy. */
function soon(task: () => Promise<void>): Promise<void> {
  return expect.poll(() => task().then(() => 'done'), { timeout: 10_000, interval: 50 }).toBe('done')
}
