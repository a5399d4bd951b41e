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
  /** From now on all is well. */
  recover(): void
}

type Fault = () => Promise<void>

/** Puts outages between a module and the port it uses: any object whose methods return promises. */
export function outage<T extends object>(
  port: T,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Outage<T> {
  let fault: Fault | undefined
  let recovery = Promise.withResolvers<void>()
  return {
    port: withFaults(port, () => fault),
    refuse(error = refused()) {
      fault = () => Promise.reject(error)
    },
    hang() {
      fault = () => recovery.promise
    },
    slow(ms) {
      fault = () => sleep(ms, { clock })
    },
    recover() {
      fault = undefined
      recovery.resolve()
      recovery = Promise.withResolvers()
    },
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
