/**
 * Connections from here are the supervisor's: it measures how long they wait to be accepted. On Linux the whole
 * network 127.0.0.0/8 is this machine, and nobody else comes from this corner of it by chance.
 */
export const probeAddress = '127.83.76.80'

/** Where the probe can come from its own address. */
export const canProbe: boolean = process.platform === 'linux'

/** Whether a connection's other end, as Node names it, is the supervisor's. */
export function isProbe(remoteAddress: string | undefined): boolean {
  return remoteAddress === probeAddress || remoteAddress === `::ffff:${probeAddress}`
}
