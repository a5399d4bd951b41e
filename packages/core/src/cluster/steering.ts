import type { Service } from '../health/service.ts'
import { ReloadFailedError } from './errors.ts'
import { stopInOrder } from './stop-in-order.ts'
import type { Supervisor } from './supervisor.ts'
import type { SupervisorOptions } from './supervisor-options.ts'

export interface SteeringOptions {
  readonly supervisor: Supervisor
  readonly settings: SupervisorOptions
  /** Set where systemd is to hear of it. */
  readonly service: Service | undefined
}

/** Who presses Ctrl+C does not want to wait for what a browser leaves open. */
const interruptedIdleMs = 500

/** What signals, commands and changes of the code have a supervisor do. */
export class Steering {
  readonly #options: SteeringOptions
  #isStopping = false

  constructor(options: SteeringOptions) {
    this.#options = options
  }

  /** It was told to stop; what is begun is being finished. */
  get isStopping(): boolean {
    return this.#isStopping
  }

  /** Until the returned function is called, signals steer. */
  hearSignals(): () => void {
    const stop = () => this.stop()
    const heard: [NodeJS.Signals | 'disconnect', () => void][] = [
      ['SIGTERM', stop],
      ['SIGINT', () => this.stop(interruptedIdleMs)],
      ['SIGHUP', () => this.reload()],
    ]
    // A parent that started us with a channel and is gone will not send a signal any more.
    if (process.connected) heard.push(['disconnect', stop])
    for (const [event, hear] of heard) process.on(event, hear)
    return () => {
      for (const [event, hear] of heard) process.off(event, hear)
    }
  }

  /** Ends all in order, once: an idle connection may bring another request for so many milliseconds. */
  stop(idleMs?: number): void {
    const { supervisor, settings, service } = this.#options
    // Ctrl+C under npm comes twice; neither is a reason to cut what is being answered.
    if (this.#isStopping) {
      settings.log('stopping already; SIGKILL would cut what is left')
      return
    }
    this.#isStopping = true
    service?.stops()
    void stopInOrder(supervisor, settings, idleMs)
  }

  /** Rolls all workers over, and logs how that ended. */
  reload(): void {
    const { supervisor, settings } = this.#options
    supervisor.reload().then(
      () => this.#isStopping || settings.log('reloaded'),
      (failure: Error) => settings.log(failure.message),
    )
  }

  /** The same for somebody who waits: resolves when all workers run the new build, rejects with `ReloadFailedError`. */
  async awaitReload(): Promise<void> {
    await this.#options.supervisor.reload()
    if (this.#isStopping) throw new ReloadFailedError('The cluster was told to stop during the reload')
  }

  /** Resolves when all has ended. */
  async awaitStop(): Promise<void> {
    this.stop()
    await this.#options.supervisor.ended
  }
}
