import type { Closeable } from '../closeable.ts'
import { controlCommands } from '../control/control-commands.ts'
import { openControl } from '../control/control-server.ts'
import { HealthServer } from '../health/health-server.ts'
import { Service } from '../health/service.ts'
import { Systemd, type SystemdSettings } from '../health/systemd.ts'
import { surviveLostOutput } from '../link/lost-output.ts'
import { OverheardLog } from './overheard-log.ts'
import { Steering } from './steering.ts'
import { Supervisor } from './supervisor.ts'
import type { SupervisorOptions } from './supervisor-options.ts'

export interface SuperviseOptions extends SupervisorOptions {
  /** Reloads whenever it calls what it is given: a file has changed. */
  readonly reloadOn?: ((reload: (reason: string) => void) => Closeable) | undefined
  /** Set where this process is a service of systemd that is to tell how it does. */
  readonly systemd?: SystemdSettings | undefined
}

const asProcessOne = 'as process 1 of a container Node does not reap orphans: start it with docker run --init'

/** Runs a supervisor until it is told to stop, and lets signals, commands and changes of the code steer it. */
export async function supervise(options: SuperviseOptions): Promise<void> {
  surviveLostOutput()
  const { say: log, overhear } = new OverheardLog(options.log)
  sayWhatStarts(options, log)
  const settings = { ...options, log }
  const supervisor = new Supervisor({ ...settings, onReload: (ended) => service?.reloads(ended) })
  const health = await openHealth(settings, supervisor)
  const service = options.systemd && new Service(new Systemd({ ...options.systemd, log }))
  const steering = new Steering({ supervisor, settings, service })
  const hearNoSignals = steering.hearSignals()
  service?.starts(supervisor, options.startMs)
  void start(supervisor, steering, settings)
  const watch = options.reloadOn?.((reason) => {
    log(`${reason}; reloading`)
    steering.reload()
  })
  const commands = { supervisor, steering, overhear, file: options.exec ?? process.argv[1]! }
  const control = openControl(controlCommands(commands), log)

  await supervisor.ended.finally(async () => {
    await watch?.close()
    await (await control).close()
    await Promise.all([health?.close(), service?.close()])
    // Not sooner: until then another signal would end this process in its own way, and with its own code.
    hearNoSignals()
  })
}

function sayWhatStarts({ workers, workersBecause }: SuperviseOptions, log: (line: string) => void): void {
  const because = workersBecause === undefined ? '' : `: ${workersBecause}`
  log(`supervisor ${process.pid} starts ${workers} worker${workers === 1 ? '' : 's'}${because}`)
  if (process.pid === 1) log(asProcessOne)
}

async function openHealth(
  { healthAddress, log }: SuperviseOptions,
  supervisor: Supervisor,
): Promise<HealthServer | undefined> {
  if (!healthAddress) return undefined
  const health = await HealthServer.open(healthAddress, () => supervisor.health)
  log(`probes are answered at ${health.url}/livez and /readyz`)
  return health
}

async function start(
  supervisor: Supervisor,
  steering: Steering,
  { workers, log }: SuperviseOptions,
): Promise<void> {
  const serving = await supervisor.start()
  if (!steering.isStopping)
    log(`${serving} of ${workers} workers serve; SIGHUP to ${process.pid} reloads them`)
}
