import { getSystemErrorName } from 'node:util'
import type { ListenQuery } from '../link/native-handle.ts'

/**
 * What to log when the app cannot listen somewhere: its own error, thrown in a worker, names neither the reason
 * nor the remedy. `isTwice`: the same worker listens there already.
 */
export function listenTrouble({ address, port }: ListenQuery, errno: number, isTwice: boolean): string {
  const isPath = (port ?? 0) < 0
  const where = isPath ? String(address) : `port ${port}${address === null ? '' : ` of ${address}`}`
  const code = getSystemErrorName(errno)
  return `the app cannot listen on ${where} (${code})${remedyOf(code, isTwice)}`
}

function remedyOf(code: string, isTwice: boolean): string {
  if (isTwice)
    return ': it listens there already, in the same worker; give each of its servers a port of its own'
  if (code === 'EADDRINUSE') return ': another program does; end that one, or give the app another port'
  if (code === 'EACCES') return ': this user may not; ports below 1024 need more rights, others do not'
  if (code === 'EADDRNOTAVAIL') return ': this machine does not have that address'
  return ''
}
