/** How express-session wants to be called back. */
export type Callback<T> = (error?: unknown, value?: T) => void

/** Calls back when the promise settled, or hands out the promise where nobody wants to be called. */
export function answer<T>(promise: Promise<T>, callback: Callback<T> | undefined): Promise<T> | undefined {
  if (!callback) {
    // `req.session.destroy()` drops the promise; an outage must not end the process for that.
    promise.catch(() => {})
    return promise
  }
  promise.then(
    // On the next tick, so that what the callback throws is not taken for a failure of the promise.
    (value) => process.nextTick(callback, null, value),
    (error) => process.nextTick(callback, error),
  )
  return undefined
}
