/**
 * What stands beneath Node's `net.Server` and `net.Socket`. It has no public name, and yet every cluster
 * deals in it: it is what `process.send` passes from one process to another.
 */
export interface NativeHandle {
  /** Set by Node on a listening handle; hears each connection that was accepted. */
  onconnection?: ((error: number, client: NativeHandle) => void) | undefined
  listen(backlog: number): number
  readStop(): number
  close(done?: () => void): void
  /** Only a TCP socket has one; Node looks whether it is there. */
  getsockname?: ((name: SocketName) => number) | undefined
  getpeername?: ((name: SocketName) => number) | undefined
}

/** Filled in by `getsockname` and `getpeername`. */
export interface SocketName {
  address?: string
  family?: string
  port?: number
}

/** What Node asks when an app listens: on an address and port, a path (port -1), or a file descriptor. */
export interface ListenQuery {
  readonly address: string | null
  readonly port: number | null
  readonly addressType: number | string | null
  readonly fd?: number | undefined
  readonly flags?: number | undefined
  readonly backlog?: number | undefined
}
