import { MemorySessionBackend } from '@stepladder/session'
import { describe, expect, test } from 'vitest'
import { setUp } from './set-up.ts'

/** Fails the next write: before it is made, or after it, so that its answer is lost. */
class DoubtfulBackend extends MemorySessionBackend {
  fails: 'before' | 'after' | undefined

  override async replace(...args: Parameters<MemorySessionBackend['replace']>) {
    const { fails } = this
    this.fails = undefined
    if (fails === 'before') throw new Error('refused')
    const replaced = await super.replace(...args)
    if (fails === 'after') throw new Error('the answer is lost')
    return replaced
  }
}

describe.each(['before', 'after'] as const)('after a save that failed %s it was made', (fails) => {
  async function failed() {
    const all = setUp({}, (clock) => new DoubtfulBackend({ clock }))
    const cookie = await all.begun({ user: 'ada', views: 1 })
    const session = await all.sessions.load(cookie)
    session.text = 'new'
    session.views = 2
    all.backend.fails = fails
    await expect(session.save()).rejects.toMatchObject({ code: 'SESSION_UNAVAILABLE' })
    return { ...all, session, cookie, after: () => all.stored(cookie) }
  }

  test('what the handler takes back is taken back', async () => {
    const { sessions, session, after } = await failed()
    delete session.text
    session.views = 1
    await sessions.commit(session)
    expect(await after()).toEqual({ user: 'ada', views: 1 })
  })

  test('what it leaves as it is is saved by the end of the request', async () => {
    const { sessions, session, after } = await failed()
    await sessions.commit(session)
    expect(await after()).toEqual({ user: 'ada', views: 2, text: 'new' })
  })

  test('what it takes back does not return with an increment', async () => {
    const { sessions, session, after } = await failed()
    delete session.text
    expect(await session.increment('views')).toBe(3)
    await sessions.commit(session)
    expect(session.text).toBeUndefined()
    expect(await after()).toEqual({ user: 'ada', views: 3 })
  })

  test('what another request has saved meanwhile stays', async () => {
    const { sessions, session, cookie, after } = await failed()
    const other = await sessions.load(cookie)
    other.cart = { pen: 1 }
    await sessions.commit(other)
    delete session.text
    session.views = 1
    await sessions.commit(session)
    expect(await after()).toEqual({ user: 'ada', views: 1, cart: { pen: 1 } })
  })

  test('what it takes back is not taken along by a login', async () => {
    const { sessions, session } = await failed()
    delete session.text
    const next = await session.regenerate({ keep: true })
    const [cookie] = (await sessions.commit(next))!.split(';')
    expect({ ...(await sessions.load(cookie)) }).toEqual({ user: 'ada', views: 2 })
  })

  test('a second save that fails leaves no more behind', async () => {
    const { sessions, session, backend, after } = await failed()
    delete session.text
    session.user = 'bob'
    backend.fails = 'after'
    await expect(session.save()).rejects.toMatchObject({ code: 'SESSION_UNAVAILABLE' })
    session.user = 'ada'
    session.views = 1
    await sessions.commit(session)
    expect(await after()).toEqual({ user: 'ada', views: 1 })
  })
})
