import { connect, isIPv4, type Socket } from 'node:net'
import type { Closeable } from '../closeable.ts'
import type { MetricSnapshot } from '../link/messages.ts'
import { canProbe, probeAddress } from './probe-address.ts'

/** Where a worker accepts and ends what the supervisor opens to measure. */
export interface Door {
  readonly address: string
  readonly port: number
}

interface Sample {
  readonly at: number
  readonly ms: number
}

const probeEveryMs = 1_000
/** Peaks between two scrapes are seen, in milliseconds. */
const keptMs = 15_000

/**
 * How long a new connection waits in the kernel's queue until a worker accepts it, which is where overload
 * shows first: Node accepts one connection per turn of its event loop. Each second one connection to each
 * door, which the worker that accepts it ends at once (`answerProbes`).
 */
export class AcceptProbe<Worker> implements Closeable {
  readonly #doors = new Map<Worker, Map<string, Door>>()
  readonly #underWay = new Map<string, { socket: Socket; startedAt: number }>()
  readonly #samples = new Map<string, Sample[]>()
  readonly #timer: NodeJS.Timeout | undefined

  constructor() {
    if (canProbe) this.#timer = setInterval(() => this.#probeAll(), probeEveryMs).unref()
  }

  addDoor(worker: Worker, door: Door): void {
    const doors = this.#doors.get(worker) ?? new Map<string, Door>()
    this.#doors.set(worker, doors.set(nameOf(door), door))
  }

  leave(worker: Worker): void {
    this.#doors.delete(worker)
    const open = this.#all()
    for (const name of this.#samples.keys()) if (!open.has(name)) this.#samples.delete(name)
    for (const [name, { socket }] of this.#underWay) if (!open.has(name)) socket.destroy()
  }

  /** For each door the worst delay of late, a connection that still waits included. */
  snapshot(): MetricSnapshot {
    const now = performance.now()
    const names = new Set([...this.#samples.keys(), ...this.#underWay.keys()])
    return {
      name: 'stepladder_worker_accept_delay_seconds',
      help: 'The longest that a new connection waited to be accepted, lately',
      type: 'gauge',
      aggregator: 'max',
      values: [...names].map((address) => ({
        value: this.#worst(address, now) / 1_000,
        labels: { address },
      })),
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    for (const { socket } of this.#underWay.values()) socket.destroy()
  }

  #all(): Map<string, Door> {
    return new Map([...this.#doors.values()].flatMap((doors) => [...doors]))
  }

  #probeAll(): void {
    for (const [name, door] of this.#all()) if (!this.#underWay.has(name)) this.#probe(name, door)
  }

  #probe(name: string, { address, port }: Door): void {
    const startedAt = performance.now()
    let isAccepted = false
    const socket = connect({ host: reachable(address), port, localAddress: probeAddress })
    this.#underWay.set(name, { socket: socket.unref(), startedAt })
    // The worker ends it by a reset, which may be here as soon as the connection itself.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      isAccepted = error.code === 'ECONNRESET'
    })
    socket.once('end', () => {
      isAccepted = true
    })
    socket.once('close', () => {
      this.#underWay.delete(name)
      // Nobody listens there at the moment, or it cannot be reached from here: that tells nothing.
      if (!isAccepted || !this.#all().has(name)) return
      const now = performance.now()
      const kept = (this.#samples.get(name) ?? []).filter(({ at }) => now - at < keptMs)
      this.#samples.set(name, [...kept, { at: now, ms: now - startedAt }])
    })
  }

  #worst(name: string, now: number): number {
    const kept = (this.#samples.get(name) ?? []).filter(({ at }) => now - at < keptMs)
    const waiting = this.#underWay.get(name)
    return Math.max(0, ...kept.map(({ ms }) => ms), waiting ? now - waiting.startedAt : 0)
  }
}

function nameOf({ address, port }: Door): string {
  return `${address}:${port}`
}

function reachable(address: string): string {
  // The probe's own address is of version 4, and a socket that is open to all takes those.
  return isIPv4(address) && address !== '0.0.0.0' ? address : '127.0.0.1'
}
