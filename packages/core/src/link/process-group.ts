/** Ends this worker, with all that it started: they have a process group of their own where there are groups. */
export function endGroup(): void {
  try {
    process.kill(-process.pid, 'SIGKILL')
  } catch {
    process.kill(process.pid, 'SIGKILL')
  }
}

/**
 * Node ends a worker whose supervisor is gone; what the worker had started is to go with it. The app's own
 * `exit` listeners have run by then.
 */
export function endGroupWithSupervisor(): void {
  process.prependListener('disconnect', () => process.once('exit', endGroup))
}
