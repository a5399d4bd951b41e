import { fileURLToPath } from 'node:url'
import { sleep } from '@stepladder/core'
import { spawnNode } from '@stepladder/core/testing'
import type { Figure } from '../figure.ts'
import { interleave } from '../interleave.ts'
import { askInAll, askOnce, WireConnection } from '../load/wire.ts'
import { cpuMicros } from '../peers/process-tree.ts'

const clients = 8
const requestsPerSlice = 2_000
const slicesPerRound = 3

/** What an Express app answers from the cache, against the same handler where it has nothing to find out. */
export async function responseHit(rounds: number): Promise<Figure[]> {
  await using app = spawnNode(fileURLToPath(new URL('../apps/responses.ts', import.meta.url)), {
    env: { NODE_ENV: 'production' },
  })
  const port = Number((await app.waitForOutput(/port (\d+)/))[1])
  // The answer that is stored is without `Age`, and so shorter than those that come from the cache.
  await askOnce(port, '/cached/SFO')
  const arm = (route: string) => () => requestsPerCpuSecond(app.pid, port, `/${route}/SFO`)
  const { arms, ratio, spread } = await interleave(
    {
      'cacheResponse, from memory': arm('cached'),
      'json() of a constant': arm('constant'),
      'end() of constant bytes': arm('bytes'),
    },
    rounds * slicesPerRound,
    (round) => round['cacheResponse, from memory'] / round['json() of a constant'],
  )
  const what = 'a cached JSON route, vs the same handler that sends a constant'
  const told = { id: 'response-hit', what, aim: '>= 1', armsUnit: 'requests per CPU second' }
  return [{ ...told, value: ratio, unit: 'x', arms, spread }]
}

async function requestsPerCpuSecond(pid: number, port: number, path: string): Promise<number> {
  const opening = Array.from({ length: clients }, () => WireConnection.open(port, path))
  const connections = await Promise.all(opening)
  const before = cpuMicros([pid])
  await askInAll(requestsPerSlice, clients, (client) => connections[client]!.ask())
  // What the last answer leaves to do is its own.
  await sleep(5)
  const micros = cpuMicros([pid]) - before
  for (const connection of connections) connection.close()
  return requestsPerSlice / (micros / 1_000_000)
}
