import { type Clock, sleep, systemClock } from '../src/clock.ts'

export interface Outage<T> {
  /** The same port, with every method subject to the outage. */
  readonly port: T
  /** From now on each call rejects with `error`, by default one with the code ECONNREFUSED. */
  refuse(error?: Error): void
  /** From now on no call is answered; `recover` lets those waiting through, as a thawed server does. */
  hang(): void
  /** From now on each call takes `ms` longer. */
  slow(ms: number): void
  /**
   * From now on the port is down for `downMs`, up for `upMs`, and so on, by the clock; while it is down, calls
   * reject as with `refuse`.
   */
  flap(times: FlapTimes): void
  /** From now on all is well. */
  recover(): void
}

export interface FlapTimes {
  readonly downMs: number
  readonly upMs: number
  readonly error?: Error | undefined
}

type Fault = () => Promise<void>

/** Puts outages between a module and the port it uses: any object whose methods return promises. */
export function outage<T extends object>(
  port: T,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Outage<T> {
  let fault: Fault | undefined
  let recovery = Promise.withResolvers<void>()
  // A fault is one thing at a time; what waits in a hang that another fault ends goes through, and meets none.
  const enter = (next: Fault | undefined) => {
    fault = next
    recovery.resolve()
    recovery = Promise.withResolvers()
  }
  return {
    port: withFaults(port, () => fault),
    refuse: (error = refused()) => enter(() => Promise.reject(error)),
    hang: () => enter(() => recovery.promise),
    slow: (ms) => enter(() => sleep(ms, { clock })),
    flap({ downMs, upMs, error = refused() }) {
      const since = clock.monotonic()
      const isDown = () => (clock.monotonic() - since) % (downMs + upMs) < downMs
      enter(() => (isDown() ? Promise.reject(error) : Promise.resolve()))
    },
    recover: () => enter(undefined),
  }
}

function withFaults<T extends object>(port: T, currentFault: () => Fault | undefined): T {
  return new Proxy(port, {
    get(target, name) {
      // The target itself is asked, because a class with #private fields refuses a proxy as `this`.
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        const fault = currentFault()
        const call = () => Reflect.apply(member, target, args)
        return fault ? fault().then(call) : call()
      }
    },
  })
}

function refused(): Error {
  return Object.assign(new Error('connect ECONNREFUSED (an outage for a test)'), { code: 'ECONNREFUSED' })
}
