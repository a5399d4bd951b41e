import { randomUUID } from 'node:crypto'
import { supervisorLink } from '../link/supervisor-link.ts'

/** The right to lead, until it is given back or lost. */
export interface Term {
  /** Greater than that of every term before it. */
  readonly token: number
  /** Aborted when the right is lost. */
  readonly lost: AbortSignal
  /** Whether the right is held now: never later than `lost`. */
  readonly isHeld: boolean
  /** Gives the right back: from now on another may lead. Never rejects. */
  resign(): Promise<void>
}

/** The right to lead on this machine. */
export interface MachineSeat extends Term {
  /** Under which the machine is known to others; no other machine has this name. */
  readonly machine: string
}

/** Waits until the supervisor appoints this process, or does so at once where there is none. Rejects with the signal's reason. */
export async function takeSeat(name: string, signal: AbortSignal): Promise<MachineSeat> {
  signal.throwIfAborted()
  const link = supervisorLink()
  if (!link) return aloneOnItsMachine()

  // Another number each time: what was said about an earlier wish does not count for this one.
  const id = link.nextId()
  const lost = new AbortController()
  // Another supervisor may start in its place, and appoint somebody else.
  const lose = () => lost.abort()
  process.once('disconnect', lose)
  const resign = () => {
    process.off('disconnect', lose)
    return link.send({ stepladder: 'resigned', id })
  }
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      stop()
      resign()
      reject(signal.reason)
    }
    const stop = link.listen((message) => {
      if (message.stepladder !== 'lead' || message.id !== id) return
      stop()
      signal.removeEventListener('abort', giveUp)
      resolve({
        token: message.token,
        machine: message.machine,
        lost: lost.signal,
        get isHeld() {
          return !lost.signal.aborted
        },
        resign,
      })
    })
    signal.addEventListener('abort', giveUp, { once: true })
    link.send({ stepladder: 'stand', id, name })
  })
}

const machine: string = randomUUID()
/** Of the same unit as those of a supervisor and of Redis: microseconds. */
let lastToken = 0

function aloneOnItsMachine(): MachineSeat {
  lastToken = Math.max(lastToken + 1, Date.now() * 1_000)
  return {
    token: lastToken,
    machine,
    lost: new AbortController().signal,
    isHeld: true,
    resign: async () => {},
  }
}
