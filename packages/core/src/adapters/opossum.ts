import CircuitBreaker from 'opossum'
import { type Breaker, BreakerOpenError } from '../breaker.ts'
import { begin, ignoreReports, type Reporter } from '../report.ts'

export interface OpossumBreakerOptions {
  /** Named in errors and metrics. */
  readonly name: string
  /** Opens when more than this share of calls failed, in percent. Default 50. */
  readonly errorPercent?: number
  /** Calls within the window before it may open. Default 5. */
  readonly minCalls?: number
  /** How far back it looks, in milliseconds: long enough to judge, short enough to open soon. Default 2000. */
  readonly windowMs?: number
  /** How long it rests before it lets one call through, in milliseconds. Default 1000. */
  readonly restMs?: number
  /**
   * Hears of each state when it ends, as an operation of the component `breaker`: `closed`, `open` or `half-open`,
   * with how long it lasted and the outcome `opened` (its cause is the failure that did it), `half-open` or `closed`.
   */
  readonly report?: Reporter | undefined
}

/**
 * A breaker over opossum's rolling window. Opossum's own timeout stays off: it shares one abort signal
 * among all calls under way, so that one slow call would abort its neighbours. Put `withDeadline` inside.
 */
export function opossumBreaker({
  name,
  errorPercent = 50,
  minCalls = 5,
  windowMs = 2_000,
  restMs = 1_000,
  report = ignoreReports,
}: OpossumBreakerOptions): Breaker {
  const circuit = new CircuitBreaker((task: () => Promise<unknown>) => task(), {
    name,
    timeout: false,
    errorThresholdPercentage: errorPercent,
    volumeThreshold: minCalls,
    rollingCountTimeout: windowMs,
    resetTimeout: restMs,
  })
  reportStates(circuit, name, report)
  let isClosed = false
  return {
    get isOpen() {
      return !isClosed && circuit.opened
    },
    close() {
      isClosed = true
      circuit.shutdown()
    },
    async run<T>(task: () => Promise<T>): Promise<T> {
      if (isClosed) return task()
      try {
        // `fire` hands back what its action returned, and the action is the task itself.
        return (await circuit.fire(task)) as T
      } catch (failure) {
        if (failure instanceof Error && 'code' in failure && failure.code === 'EOPENBREAKER') {
          throw new BreakerOpenError(name, { cause: failure })
        }
        throw failure
      }
    },
  }
}

function reportStates(circuit: CircuitBreaker, name: string, report: Reporter): void {
  const enter = (operation: string) => begin({ component: 'breaker', name, operation }, report)
  let end = enter('closed')
  let lastFailure: unknown
  circuit.on('failure', (failure) => {
    lastFailure = failure
  })
  circuit.on('open', () => {
    end('opened', lastFailure)
    end = enter('open')
  })
  circuit.on('halfOpen', () => {
    end('half-open')
    end = enter('half-open')
  })
  circuit.on('close', () => {
    end('closed')
    end = enter('closed')
  })
}
