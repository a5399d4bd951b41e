import { eventually } from './eventually.ts'
import { askRedis } from './redis-command.ts'
import { launchRedis, type RedisServer } from './redis-server.ts'

const slots = 16_384
const busDistance = 10_000

/** Three masters that share the slots, no replicas, all on one machine. */
export interface RedisCluster extends AsyncDisposable {
  readonly nodes: readonly RedisServer[]
  readonly urls: readonly string[]
  stop(): Promise<void>
}

/** Starts a Redis Cluster, in about two seconds; else as `startRedis`. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: 3 }, startNode))
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())))
  try {
    await join(nodes)
  } catch (failure) {
    await stop()
    throw failure
  }
  return { nodes, urls: nodes.map(({ url }) => url), stop, [Symbol.asyncDispose]: stop }
}

function startNode(): Promise<RedisServer> {
  return launchRedis({
    alsoFree: [busDistance],
    // The longest that a dead node goes unnoticed. A healthy one on a busy machine must not seem dead.
    config: { 'cluster-enabled': 'yes', 'cluster-node-timeout': '3000' },
  })
}

/** What `redis-cli --cluster create` does, which a machine with a server may lack. */
async function join(nodes: readonly RedisServer[]): Promise<void> {
  await Promise.all(
    nodes.map(async ({ port }, index) => {
      const first = Math.floor((index * slots) / nodes.length)
      const end = Math.floor(((index + 1) * slots) / nodes.length)
      const mine = Array.from({ length: end - first }, (_, offset) => first + offset)
      await askRedis(port, ['CLUSTER', 'ADDSLOTS', ...mine])
      // Epochs of their own spare the nodes an election about who is right.
      await askRedis(port, ['CLUSTER', 'SET-CONFIG-EPOCH', index + 1])
    }),
  )
  const [first, ...others] = nodes
  for (const { port } of others) {
    await askRedis(first!.port, ['CLUSTER', 'MEET', '127.0.0.1', port, port + busDistance])
  }
  await Promise.all(
    nodes.map((node) => eventually('the cluster', 20_000, () => checkJoined(node, nodes.length))),
  )
}

async function checkJoined({ port }: RedisServer, size: number): Promise<void> {
  const info = String(await askRedis(port, ['CLUSTER', 'INFO']))
  const isJoined = ['cluster_state:ok', `cluster_known_nodes:${size}`, `cluster_slots_ok:${slots}`]
  const missing = isJoined.filter((line) => !info.includes(`${line}\r`))
  if (missing.length > 0) throw new Error(`node ${port} does not yet say ${missing.join(', ')}`)
}
