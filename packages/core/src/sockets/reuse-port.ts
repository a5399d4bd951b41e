import { readFileSync } from 'node:fs'

/** Systems whose kernel divides connections among sockets of one port (SO_REUSEPORT), as Node knows them. */
export const canReusePort: boolean = ['linux', 'freebsd', 'sunos', 'aix'].includes(process.platform)

const migration = '/proc/sys/net/ipv4/tcp_migrate_req'

/**
 * What is to be said about this machine before each worker gets a socket of its own: each has a queue of its
 * own as well, and Linux drops who stands in it when the worker goes, unless it is told to move them.
 */
export function reusePortWarning(file: string = migration): string | undefined {
  if (process.platform !== 'linux') return undefined
  return readSetting(file) === '1'
    ? undefined
    : 'with --distribution reuseport a reload loses connections that wait for the worker that goes; ' +
        '"sysctl -w net.ipv4.tcp_migrate_req=1" (Linux 5.14 or newer) moves them to another'
}

function readSetting(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    // An older kernel, or a container that hides it: then nobody can tell that they are moved.
    return undefined
  }
}
