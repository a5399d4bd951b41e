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
  /** Closes a TCP socket as well, so that its peer is told at once; `socket.resetAndDestroy()`. */
  reset?: ((done: () => void) => number) | undefined
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

/** The same handle; whoever closes it, `onClose` is called first. */
export function sayingWhenClosed(handle: NativeHandle, onClose: () => void): NativeHandle {
  const close = handle.close.bind(handle)
  const reset = handle.reset?.bind(handle)
  handle.close = (done) => {
    onClose()
    close(done)
  }
  if (reset) {
    handle.reset = (done) => {
      onClose()
      return reset(done)
    }
  }
  return handle
}
