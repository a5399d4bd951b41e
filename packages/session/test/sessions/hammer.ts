import { seededRandom } from '@stepladder/core/testing'
import { createSessions, RedisSessionBackend, type Session, type Sessions } from '@stepladder/session'

export interface Hammered {
  user: string
  views: number
}

export function openHammered(url: string, prefix: string): Sessions<Hammered> {
  return createSessions<Hammered>({
    backend: new RedisSessionBackend({ redis: url, prefix, commandTimeoutMs: 10_000 }),
    ...{ secret: 'for tests only', timeout: '10s', touchAfter: 1, rotateEvery: 30, rotationGrace: 30 },
    userOf: ({ user }) => user,
  })
}

/**
 * Uses a session in every way, request after request, until it has ended. With `byHand`, its fields are carried over to a
 * new id as apps do it with express-session, which takes as long as that.
 */
export async function hammer(
  sessions: Sessions<Hammered>,
  cookie: string,
  seed: number,
  byHand?: () => Promise<void>,
): Promise<void> {
  const random = seededRandom(seed)
  let shown = cookie
  for (;;) {
    const session = await sessions.load(shown)
    if (session.user === undefined) return
    try {
      const used = await use(session, random(), byHand)
      shown = (await sessions.commit(used))?.split(';')[0] ?? shown
    } catch (failure) {
      if (codeOf(failure) !== 'SESSION_ENDED') throw failure
      return
    }
  }
}

async function use(
  session: Session<Hammered>,
  chance: number,
  byHand: (() => Promise<void>) | undefined,
): Promise<Session<Hammered>> {
  if (chance < 0.2) return session
  if (chance < 0.4) return Object.assign(session, { views: Math.floor(chance * 1e6) })
  if (chance < 0.6) return session.touch()
  if (chance < 0.8) {
    await session.increment('views')
    return session
  }
  if (!byHand) return session.regenerate({ keep: true })
  const { user = '', views = 0 } = session
  const fresh = await session.regenerate()
  await byHand()
  return Object.assign(fresh, { user, views })
}

function codeOf(failure: unknown): unknown {
  return failure instanceof Error && 'code' in failure ? failure.code : undefined
}
