import type { SessionBackend } from '../src/backend.ts'
import { Follower, type FollowerSettings } from './follower.ts'
import type { Beside, Promises } from './promises.ts'
import type { MakeSessionBackend } from './session-backend-tools.ts'

export interface Followed {
  /** Trusts its memory, at first. */
  readonly follower: Follower
  readonly backend: SessionBackend
  /** Changes the same records. */
  readonly other: SessionBackend
}

/** Makes a check of what is told to who follows a backend. */
export type Following = (check: (followed: Followed) => Promise<void>) => Promises[string]

/** `elsewhere`: who makes the other backend; without it, whoever made the first. */
export function following(settings: FollowerSettings, elsewhere?: MakeSessionBackend): Following {
  return (check) => async (backend, beside) => {
    const follower = new Follower(backend, settings)
    const other = await openOther(beside, elsewhere)
    try {
      await follower.begin()
      await check({ follower, backend, other })
    } finally {
      await follower.feed.close()
      if (elsewhere) await other.close()
    }
  }
}

function openOther({ prefix, open }: Beside, elsewhere?: MakeSessionBackend) {
  return elsewhere ? elsewhere(prefix) : open()
}
