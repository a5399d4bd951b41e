import { eventually } from './eventually.ts'
import { askRedis } from './redis-command.ts'
import { launchRedis, type RedisServer, startRedis } from './redis-server.ts'

const masterName = 'stepladder'

/** A master, its replica, and three sentinels that promote the replica within seconds of the master's death. */
export interface RedisSentinel extends AsyncDisposable {
  /** What clients ask the sentinels for. */
  readonly masterName: string
  /** Where the sentinels are, as ioredis takes them. */
  readonly sentinels: readonly { readonly host: string; readonly port: number }[]
  /** Who is master at the start. */
  readonly master: RedisServer
  /** Who is replica at the start. */
  readonly replica: RedisServer
  /** The sentinels, for tests that break one. */
  readonly sentinelServers: readonly RedisServer[]
  stop(): Promise<void>
}

/** Starts Redis under sentinels, in about three seconds; else as `startRedis`. */
export async function startRedisSentinel(): Promise<RedisSentinel> {
  const started: RedisServer[] = []
  const keep = (server: RedisServer) => {
    started.push(server)
    return server
  }
  const stop = async () => void (await Promise.all(started.map((server) => server.stop())))
  try {
    const master = keep(await startRedis(replicating))
    const config = { ...replicating.config, replicaof: `${master.host} ${master.port}` }
    const replica = keep(await startRedis({ config }))
    const starting = Array.from({ length: 3 }, () => startSentinel(master))
    const sentinelServers = (await Promise.all(starting)).map(keep)
    await whenWatching(sentinelServers)
    const sentinels = sentinelServers.map(({ host, port }) => ({ host, port }))
    return { masterName, sentinels, master, replica, sentinelServers, stop, [Symbol.asyncDispose]: stop }
  } catch (failure) {
    await stop()
    throw failure
  }
}

/** A replica joins at once: no waiting for others to join, no detour over the disk. */
const replicating = { config: { 'repl-diskless-sync': 'yes', 'repl-diskless-sync-delay': '0' } }

function startSentinel(master: RedisServer): Promise<RedisServer> {
  return launchRedis({
    isSentinel: true,
    config: {
      'sentinel monitor': `${masterName} ${master.host} ${master.port} 2`,
      'sentinel down-after-milliseconds': `${masterName} 500`,
      'sentinel failover-timeout': `${masterName} 3000`,
    },
  })
}

/** Sentinels find each other, and the replica, through the master; before that they could promote nobody. */
async function whenWatching(sentinels: readonly RedisServer[]): Promise<void> {
  const checks = sentinels.map(({ port }) =>
    eventually('the sentinels', 20_000, async () => {
      const master = String(await askRedis(port, ['SENTINEL', 'MASTER', masterName]))
      const expected = ['flags,master,', 'num-slaves,1,', `num-other-sentinels,${sentinels.length - 1},`]
      const missing = expected.filter((field) => !master.includes(field))
      if (missing.length > 0) throw new Error(`sentinel ${port} does not yet say ${missing.join(' ')}`)
    }),
  )
  await Promise.all(checks)
}
