import { notifyChannel } from './outbox-table.ts'

/** Calls `wake` whenever there is something new; what it resolves to ends that. */
export type ListenFunction = (wake: () => void) => Promise<() => unknown>

/** A `Client` of the package `pg`, connected, that nobody else listens with. The application ends it. */
export interface PostgresClient {
  query(sql: string): Promise<unknown>
  on(event: 'notification', listener: (message: { readonly channel: string }) => void): unknown
  removeListener(event: 'notification', listener: (message: { readonly channel: string }) => void): unknown
}

/** One form for both. */
export function listenFunction(listen: ListenFunction | PostgresClient): ListenFunction {
  if (typeof listen === 'function') return listen
  return async (wake) => {
    const hear = ({ channel }: { readonly channel: string }) => {
      if (channel === notifyChannel) wake()
    }
    listen.on('notification', hear)
    try {
      await listen.query(`LISTEN ${notifyChannel}`)
    } catch (failure) {
      listen.removeListener('notification', hear)
      throw failure
    }
    return async () => {
      listen.removeListener('notification', hear)
      await listen.query(`UNLISTEN ${notifyChannel}`)
    }
  }
}
