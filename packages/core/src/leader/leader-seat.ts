import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../clock.ts'
import type { ToSupervisor, ToWorker } from '../link/messages.ts'

/** A worker that may lead. */
export interface Candidate {
  readonly state: string
  send(message: ToWorker): void
}

/** One worker's wish to lead: the number is the worker's own, and no other of its wishes bears it. */
interface Standing {
  readonly name: string
  readonly worker: Candidate
  readonly id: number
}

/**
 * The one seat that there is for each name, and who sits on it. The next is appointed only when the former
 * has said that it resigned or its process has exited, so there are never two on this machine.
 *
 *   vacant --stand--> taken --resigned, or exit--> vacant
 */
export class LeaderSeat {
  /** By the time that they came. */
  #standings: readonly Standing[] = []
  readonly #seated = new Map<string, Standing>()
  readonly #machine: string = randomUUID()
  readonly #clock: Clock
  #lastToken = 0

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  hear(worker: Candidate, message: ToSupervisor): void {
    if (message.stepladder === 'stand') {
      const { name, id } = message
      this.#standings = [...this.#standings, { name, worker, id }]
      this.#appoint(name)
    }
    if (message.stepladder === 'resigned') {
      this.#remove((standing) => standing.worker === worker && standing.id === message.id)
    }
  }

  /** Its process has exited. */
  leave(worker: Candidate): void {
    this.#remove((standing) => standing.worker === worker)
  }

  #remove(isGone: (standing: Standing) => boolean): void {
    const gone = this.#standings.filter(isGone)
    this.#standings = this.#standings.filter((standing) => !isGone(standing))
    for (const standing of gone) {
      if (this.#seated.get(standing.name) !== standing) continue
      this.#seated.delete(standing.name)
      this.#appoint(standing.name)
    }
  }

  /** The youngest that will stay: in a rolling reload leadership then moves once, not with every worker. */
  #appoint(name: string): void {
    if (this.#seated.has(name)) return
    const next = this.#standings.findLast(
      (standing) => standing.name === name && standing.worker.state !== 'draining',
    )
    if (!next) return
    this.#seated.set(name, next)
    // Time alone would repeat itself within a millisecond, and a count alone after a restart of the supervisor.
    this.#lastToken = Math.max(this.#lastToken + 1, this.#clock.now() * 1_000)
    next.worker.send({ stepladder: 'lead', id: next.id, token: this.#lastToken, machine: this.#machine })
  }
}
