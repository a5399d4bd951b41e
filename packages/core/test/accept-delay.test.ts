import { once } from 'node:events'
import { connect } from 'node:net'
import { sleep } from '@stepladder/core'
import { expect, test, vi } from 'vitest'
import { probeAddress } from '../src/watch/probe-address.ts'
import { startCluster } from './running-cluster.ts'
import { scrape } from './scraped-metrics.ts'

const app = 'metrics-app.cjs'
/** All workers accept from one socket, so that one that cannot is not waited for. */
const shared = ['--distribution', 'shared', '--hang', 'off']

test.skipIf(process.platform !== 'linux')(
  'how long a new connection waits to be accepted is measured',
  async () => {
    await using cluster = await startCluster({ app, workers: 1, flags: shared })
    const delay = async () => {
      const [, seconds] =
        [...(await scrape(cluster))].find(([series]) => series.includes('accept_delay')) ?? []
      return seconds
    }
    await vi.waitFor(async () => expect(await delay()).toBeGreaterThan(0), { timeout: 10_000 })
    const idle = await delay()
    await cluster.json('/block?ms=2500')
    // Peaks are told for fifteen seconds; while it is blocked, it tells nothing.
    await vi.waitFor(async () => expect(await delay()).toBeGreaterThan(Math.max(1, idle!)), {
      timeout: 12_000,
    })
  },
)

test.skipIf(process.platform !== 'linux').each(['http', 'https'])(
  'the measuring is unseen by an app over %s',
  async (door) => {
    await using cluster = await startCluster({
      app: 'door-app.cjs',
      workers: 1,
      flags: shared,
      env: { DOOR: door },
    })
    const { port } = cluster
    // As the supervisor does.
    const probe = connect({ port, host: '127.0.0.1', localAddress: probeAddress })
    const [failure] = await once(probe, 'error')
    expect(failure).toMatchObject({ code: 'ECONNRESET' })
    const visitor = connect({ port, host: '127.0.0.1' })
    await cluster.supervisor.waitForOutput(/app hears of a connection/)
    visitor.destroy()
    expect(cluster.supervisor.output.match(/app hears of a connection/g)).toHaveLength(1)
    expect(cluster.supervisor.output).not.toMatch(/clientError/i)
  },
)

test.skipIf(process.platform !== 'linux')(
  'who measures the delay leaves no trace in who is handed the next connection',
  async () => {
    await using cluster = await startCluster({ app })
    await sleep(4_500)
    const answered: number[] = []
    for (let asked = 0; asked < 6; asked++) {
      answered.push((await cluster.json<{ pid: number }>('/pid')).pid)
      // A worker tells that it is free again.
      await sleep(20)
    }
    expect(new Set(answered).size).toBe(2)
  },
)
