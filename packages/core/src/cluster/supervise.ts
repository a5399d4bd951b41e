import { Supervisor, type SupervisorOptions } from '../supervisor/supervisor.ts'

/** Runs a supervisor until it is told to stop, and lets the process's signals steer it. */
export async function supervise(options: SupervisorOptions): Promise<void> {
  const { log, workers, drainMs } = options
  const supervisor = new Supervisor(options)
  let isStopping = false
  const stop = () => {
    // Ctrl+C under npm comes twice; neither is a reason to cut what is being answered.
    if (isStopping) return log('stopping already; SIGKILL would cut what is left')
    isStopping = true
    log(`stopping: no new connections, ${drainMs / 1_000} s to finish what was begun`)
    supervisor.close()
  }
  const reload = () => {
    supervisor.reload().then(
      () => isStopping || log('reloaded'),
      (failure: Error) => log(failure.message),
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('SIGHUP', reload)
  // A parent that started us with a channel and is gone will not send a signal any more.
  if (process.connected) process.once('disconnect', stop)
  supervisor
    .start()
    .then(
      (serving) =>
        isStopping || log(`${serving} of ${workers} workers serve; SIGHUP to ${process.pid} reloads them`),
    )

  await supervisor.ended.finally(() => {
    process.off('SIGTERM', stop)
    process.off('SIGINT', stop)
    process.off('SIGHUP', reload)
  })
}
