import { sleep } from '@stepladder/core'
import { seeds, startTcpProxy } from '@stepladder/core/testing'
import { describe, test } from 'vitest'
import type { LoadResult } from './load/load.ts'
import { loadModels } from './load/models.ts'
import { type RunningCluster, startCluster } from './running-cluster.ts'

interface Case {
  readonly model: keyof typeof loadModels
  readonly clients: number
  /** How many answers one run brings at least. */
  readonly atLeast: number
  /** Default: `open-app.cjs`, over plain HTTP/1. */
  readonly app?: string
  readonly protocol?: string
  readonly distribution: string
  /** Each byte takes so long to its other end, in milliseconds. Default: as fast as the machine is. */
  readonly lineMs?: number
  /** How a worker leaves in the control arm: see `fixtures/careless-worker.mjs`. */
  readonly careless: string
}

const cases: Case[] = [
  // Express answers before a second listener of its server is asked.
  {
    model: 'saturated keep-alive',
    app: 'plain-app.cjs',
    clients: 24,
    atLeast: 15_000,
    distribution: 'shared',
    careless: 'header-last',
  },
  {
    model: 'idle keep-alive',
    clients: 60,
    atLeast: 600,
    lineMs: 40,
    distribution: 'shared',
    careless: 'close',
  },
  { model: 'connection storm', clients: 16, atLeast: 4_000, distribution: 'shared', careless: 'exit' },
  {
    model: 'slow POST bodies',
    clients: 40,
    atLeast: 3_000,
    distribution: 'shared',
    careless: 'http-terminator',
  },
  { model: 'WebSocket', clients: 30, atLeast: 8_000, distribution: 'shared', careless: 'close' },
  { model: 'Server-Sent Events', clients: 20, atLeast: 5_000, distribution: 'shared', careless: 'close' },
  {
    model: 'HTTP/2',
    clients: 8,
    atLeast: 8_000,
    protocol: 'http2',
    distribution: 'shared',
    careless: 'exit',
  },
]

const dispatched: Case[] = [
  { model: 'saturated keep-alive', clients: 24, atLeast: 5_000, distribution: 'dispatch', careless: 'close' },
  {
    model: 'idle keep-alive',
    clients: 60,
    atLeast: 600,
    lineMs: 40,
    distribution: 'dispatch',
    careless: 'close',
  },
]

const longEnough = { timeout: 120_000 }

describe.concurrent('a rolling reload', () => {
  for (const seed of seeds(1)) {
    test.for([...cases, ...dispatched])(
      `loses nothing of: $model, $distribution (seed ${seed})`,
      longEnough,
      async (model, { expect }) => {
        const { answered, lost } = await reloadUnder(model, seed)
        expect(lost).toEqual({})
        expect(answered).toBeGreaterThanOrEqual(model.atLeast)
      },
    )
  }

  test.for(cases)(
    'control: a worker that leaves by "$careless" loses some of: $model',
    longEnough,
    async (model, { expect }) => {
      // Few requests are under way in the one instant, so a single reload may be lucky.
      let lost = {}
      for (let seed = 1; seed <= 5 && Object.keys(lost).length === 0; seed++)
        ({ lost } = await reloadUnder({ ...model, atLeast: 0 }, seed, 'careless-supervisor.ts'))
      expect(lost).not.toEqual({})
    },
  )
})

async function reloadUnder(
  { model, clients, atLeast, app = 'open-app.cjs', protocol = 'http', distribution, lineMs, careless }: Case,
  seed: number,
  supervisor?: string,
): Promise<LoadResult> {
  await using cluster = await startCluster({
    app,
    env: { PROTOCOL: protocol, GOODBYE: careless },
    flags: ['--distribution', distribution],
    ...(supervisor ? { supervisor } : {}),
  })
  await using line = await startTcpProxy({ port: cluster.port })
  if (lineMs) line.delay(lineMs)
  const over = new AbortController()
  const { port } = lineMs ? line : cluster
  const load = loadModels[model]({ port, seed, clients, atLeast, signal: over.signal })
  await sleep(500)
  await reload(cluster).finally(() => over.abort())
  return await load
}

async function reload({ supervisor }: RunningCluster): Promise<void> {
  supervisor.kill('SIGHUP')
  await supervisor.waitForOutput(/: reloaded\n/, 60_000)
}
