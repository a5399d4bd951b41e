import { join } from 'node:path'
import { keyPrefix, sharedRedis, spawnNode } from '@stepladder/core/testing'
import { sessions } from '@stepladder/session/express'
import { startApp } from '../express-app.ts'
import type { Peer } from './peers.ts'

export interface ServerOptions {
  /** 1: this one. */
  readonly processes: number
  /** How many requests of a route that waits for others are sent to all of them. */
  readonly together?: number
}

/** The app of the tests, in this process or in some of its own, which share one Redis. */
export class Servers implements AsyncDisposable {
  readonly urls: readonly string[]
  readonly #stop: () => Promise<unknown>

  private constructor(urls: readonly string[], stop: () => Promise<unknown>) {
    this.urls = urls
    this.#stop = stop
  }

  static async start({ processes, together = 1 }: ServerOptions): Promise<Servers> {
    const { url: redis } = await sharedRedis()
    if (processes > 1) return Servers.#spawn(processes, [redis, keyPrefix(), String(together / processes)])
    const middleware = sessions({ redis, prefix: keyPrefix(), secret: 'for tests only', timeout: '5s' })
    const app = await startApp({ middleware, together })
    return new Servers([app.url], () => Promise.all([app.close(), middleware.sessions.close()]))
  }

  /** In this process, under express-session. */
  static async startPeer(peer: Peer, together = 1): Promise<Servers> {
    const { store, close } = await peer.open((await sharedRedis()).url, keyPrefix())
    const app = await startApp({ store, together })
    return new Servers([app.url], () => app.close().finally(close))
  }

  static async #spawn(count: number, args: readonly string[]): Promise<Servers> {
    const file = join(__dirname, 'server.fixture.ts')
    const processes = Array.from({ length: count }, () =>
      spawnNode(file, { args, execArgv: ['--conditions=@stepladder/source'] }),
    )
    const lines = await Promise.all(processes.map((each) => each.waitForOutput(/listening at (\S+)\./)))
    const urls = lines.map(([, url]) => url!)
    return new Servers(urls, () => Promise.all(processes.map((each) => each.stop())))
  }

  /** The one whose turn it is. */
  url(turn: number): string {
    return this.urls[turn % this.urls.length]!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop()
  }
}
