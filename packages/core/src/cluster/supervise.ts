import type { Closeable } from '../closeable.ts'
import { controlCommands } from '../control/control-commands.ts'
import { openControl } from '../control/control-server.ts'
import { HealthServer } from '../health/health-server.ts'
import { Service } from '../health/service.ts'
import { Systemd, type SystemdSettings } from '../health/systemd.ts'
import { surviveLostOutput } from '../link/lost-output.ts'
import { ReloadFailedError } from './errors.ts'
import { OverheardLog } from './overheard-log.ts'
import { stopInOrder } from './stop-in-order.ts'
import { Supervisor } from './supervisor.ts'
import type { SupervisorOptions } from './supervisor-options.ts'

export interface SuperviseOptions extends SupervisorOptions {
  /** Reloads whenever it calls what it is given: a file has changed. */
  readonly reloadOn?: ((reload: (reason: string) => void) => Closeable) | undefined
  /** Set where this process is a service of systemd that is to tell how it does. */
  readonly systemd?: SystemdSettings | undefined
}

/** Who presses Ctrl+C does not want to wait for what a browser leaves open. */
const interruptedIdleMs = 500

const asProcessOne = 'as process 1 of a container Node does not reap orphans: start it with docker run --init'

/** Runs a supervisor until it is told to stop, and lets signals, commands and changes of the code steer it. */
export async function supervise(options: SuperviseOptions): Promise<void> {
  const { workers, workersBecause, startMs, healthAddress } = options
  const { say: log, overhear } = new OverheardLog(options.log)
  surviveLostOutput()
  const because = workersBecause === undefined ? '' : `: ${workersBecause}`
  log(`supervisor ${process.pid} starts ${workers} worker${workers === 1 ? '' : 's'}${because}`)
  if (process.pid === 1) log(asProcessOne)
  const supervisor = new Supervisor({ ...options, log, onReload: (ended) => service?.reloads(ended) })
  const health = healthAddress && (await HealthServer.open(healthAddress, () => supervisor.health))
  if (health) log(`probes are answered at ${health.url}/livez and /readyz`)
  const service = options.systemd && new Service(new Systemd({ ...options.systemd, log }))
  let isStopping = false
  const stop = (idleMs?: number) => {
    // Ctrl+C under npm comes twice; neither is a reason to cut what is being answered.
    if (isStopping) return log('stopping already; SIGKILL would cut what is left')
    isStopping = true
    service?.stops()
    stopInOrder(supervisor, { ...options, log }, idleMs)
  }
  const reload = () => {
    supervisor.reload().then(
      () => isStopping || log('reloaded'),
      (failure: Error) => log(failure.message),
    )
  }
  const terminate = () => stop()
  const interrupt = () => stop(interruptedIdleMs)
  process.on('SIGTERM', terminate)
  process.on('SIGINT', interrupt)
  process.on('SIGHUP', reload)
  // A parent that started us with a channel and is gone will not send a signal any more.
  if (process.connected) process.once('disconnect', terminate)
  service?.starts(supervisor, startMs)
  supervisor
    .start()
    .then(
      (serving) =>
        isStopping || log(`${serving} of ${workers} workers serve; SIGHUP to ${process.pid} reloads them`),
    )
  const watch = options.reloadOn?.((reason) => {
    log(`${reason}; reloading`)
    reload()
  })
  const control = openControl(
    controlCommands({
      supervisor,
      overhear,
      file: options.exec ?? process.argv[1]!,
      async reload() {
        await supervisor.reload()
        if (isStopping) throw new ReloadFailedError('The cluster was told to stop during the reload')
      },
      async stop() {
        stop()
        await supervisor.ended
      },
    }),
    log,
  )

  await supervisor.ended.finally(async () => {
    process.off('SIGTERM', terminate)
    process.off('SIGINT', interrupt)
    process.off('SIGHUP', reload)
    await watch?.close()
    await (await control).close()
    await Promise.all([health?.close(), service?.close()])
  })
}
