import { InvalidOptionError } from '../errors.ts'

/** Where a server of our own listens. */
export interface ListenAddress {
  /** Undefined: on all interfaces. */
  readonly host: string | undefined
  /** 0: one that is free. */
  readonly port: number
}

/** `9000`, `'127.0.0.1:9000'`, `'[::1]:9000'`; throws `InvalidOptionError` in the name of `owner` for anything else. */
export function parseListenAddress(owner: string, option: string, value: unknown): ListenAddress {
  const match = /^(?:(?<host>[^:[\]]+|\[[^\]]+\]):)?(?<port>\d{1,5})$/.exec(String(value))
  const port = Number(match?.groups?.port)
  if (!(port <= 65_535) || (typeof value !== 'number' && typeof value !== 'string')) {
    throw new InvalidOptionError(owner, option, value, "a port such as 9000, or '127.0.0.1:9000'")
  }
  return { host: match?.groups?.host?.replace(/^\[|\]$/g, ''), port }
}
