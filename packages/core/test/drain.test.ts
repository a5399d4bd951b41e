import { sleep } from '@stepladder/core'
import { expect, test } from 'vitest'
import { loadUntil } from './keep-alive-load.ts'
import { type ClusterUnderTest, startCluster } from './running-cluster.ts'

async function reloadUnderLoad(overrides: Partial<ClusterUnderTest>) {
  await using cluster = await startCluster({ app: 'plain-app.cjs', ...overrides })
  const reloads = (async () => {
    for (let reload = 1; reload <= 2; reload++) {
      await sleep(500)
      cluster.supervisor.kill('SIGHUP')
      await cluster.supervisor.waitForOutput(new RegExp(`(: reloaded\\n[^]*){${reload}}`))
    }
  })()
  return await loadUntil(cluster.port, reloads)
}

test.each(['shared', 'round-robin'])(
  '%s: four workers replaced under keep-alive load lose no request',
  async (kind) => {
    const { answered, lost } = await reloadUnderLoad({ flags: ['--distribution', kind] })
    expect(lost).toEqual({})
    expect(answered).toBeGreaterThan(1_000)
  },
)

test('control: the same with a worker that only closes its server loses requests', async () => {
  const { lost } = await reloadUnderLoad({ supervisor: 'close-only-supervisor.ts' })
  expect(Object.keys(lost)).not.toEqual([])
})

test('SIGTERM lets a request in flight finish, and ends with code 0', async () => {
  await using cluster = await startCluster({ app: 'plain-app.cjs' })
  const slow = fetch(`http://127.0.0.1:${cluster.port}/slow?ms=800`)
  await sleep(200)
  cluster.supervisor.kill('SIGTERM')
  expect(await (await slow).text()).toBe('done')
  expect((await cluster.supervisor.exited).code).toBe(0)
})

test('a request that outlasts the drain is cut, so that a deploy ends', async () => {
  await using cluster = await startCluster({ app: 'plain-app.cjs', flags: ['--drain', '300ms'] })
  const endless = fetch(`http://127.0.0.1:${cluster.port}/slow?ms=60000`).catch(() => 'cut')
  await sleep(200)
  cluster.supervisor.kill('SIGTERM')
  expect(await endless).toBe('cut')
  expect((await cluster.supervisor.exited).code).toBe(0)
})
