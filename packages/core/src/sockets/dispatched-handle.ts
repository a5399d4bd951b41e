import { type NativeHandle, type SocketName, sayingWhenClosed } from '../link/native-handle.ts'
import type { SupervisorLink } from '../link/supervisor-link.ts'

export interface DispatchedHandleOptions {
  readonly key: string
  readonly link: Pick<SupervisorLink, 'send'>
  readonly onClose: () => void
}

/** Stands beneath a server of the app as a listening socket would, while the supervisor does the accepting. */
export class DispatchedHandle implements NativeHandle {
  onconnection?: NativeHandle['onconnection']
  getsockname?: NativeHandle['getsockname']
  readonly #options: DispatchedHandleOptions
  #isClosed = false

  constructor(name: SocketName, options: DispatchedHandleOptions) {
    this.#options = options
    if (name.port === undefined) return
    this.getsockname = (out) => {
      Object.assign(out, name)
      return 0
    }
  }

  /** False when the server has been closed, or has not begun to listen. */
  get hasRoom(): boolean {
    return !this.#isClosed && this.onconnection !== undefined
  }

  /** The server gets the connection as if it had accepted it. */
  take(client: NativeHandle): void {
    const { link, key } = this.#options
    this.onconnection?.(
      0,
      sayingWhenClosed(client, () => link.send({ stepladder: 'released', key })),
    )
  }

  readStop(): number {
    return 0
  }

  listen(): number {
    return 0
  }

  close(done?: () => void): void {
    if (!this.#isClosed) this.#options.onClose()
    this.#isClosed = true
    if (done) process.nextTick(done)
  }

  /** The channel to the supervisor keeps the process alive, so this has nothing to do. */
  ref(): void {}

  unref(): void {}

  hasRef(): boolean {
    return true
  }

  getAsyncId(): number {
    return 0
  }
}
