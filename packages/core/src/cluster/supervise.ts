import { Supervisor, type SupervisorOptions } from './supervisor.ts'

/** Runs a supervisor until it is told to stop, and lets the process's signals steer it. */
export async function supervise(options: SupervisorOptions): Promise<void> {
  const { log } = options
  const supervisor = new Supervisor(options)
  const stop = () => {
    log('stopping: no new connections, finishing what was begun')
    supervisor.close()
  }
  const reload = () => {
    supervisor.reload().then(
      () => log('reloaded'),
      (failure: Error) => log(failure.message),
    )
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  process.on('SIGHUP', reload)
  // A parent that started us with a channel and is gone will not send a signal any more.
  if (process.connected) process.once('disconnect', stop)

  const ended = supervisor.ended.finally(() => {
    process.off('SIGTERM', stop)
    process.off('SIGINT', stop)
    process.off('SIGHUP', reload)
  })
  supervisor.start().then((serving) => log(`${serving} of ${options.workers} workers serve`))
  await ended
}
