import { expect, test } from 'vitest'
import { startCluster } from './running-cluster.ts'

// What docs/guides/from-pm2.md, from-throng.md and from-node-cluster.md say.

test('an app made for PM2 runs as it is: it says ready, is numbered, and cleans up at its SIGINT', async () => {
  await using cluster = await startCluster({ app: 'from-pm2.cjs' })
  expect(await cluster.workerPids(2)).toHaveLength(2)
  const answer = await cluster.json<{ instance: string; pm_id?: string }>('/')
  expect(['0', '1']).toContain(answer.instance)
  expect(answer.pm_id).toBeUndefined()
  cluster.supervisor.kill('SIGTERM')
  expect((await cluster.supervisor.exited).code).toBe(0)
  expect(cluster.supervisor.output.match(/cleaned up/g)).toHaveLength(2)
})

test('an app made for throng runs as it is, save for its master', async () => {
  await using cluster = await startCluster({ app: 'from-throng.cjs', workers: 1 })
  cluster.supervisor.kill('SIGHUP')
  await cluster.supervisor.waitForOutput(/: reloaded\n/, 40_000)
  cluster.supervisor.kill('SIGTERM')
  expect((await cluster.supervisor.exited).code).toBe(0)
  expect(cluster.supervisor.output.match(/cleaned up/g)).toHaveLength(2)
  expect(cluster.supervisor.output).not.toContain('the master ran')
}, 60_000)

test("an app made for node:cluster runs as it is, save for its primary's part", async () => {
  await using cluster = await startCluster({ app: 'from-node-cluster.cjs' })
  expect(await cluster.workerPids(2)).toHaveLength(2)
  const { id } = await cluster.json<{ id: number }>('/')
  expect([1, 2]).toContain(id)
  cluster.supervisor.kill('SIGTERM')
  expect((await cluster.supervisor.exited).code).toBe(0)
  expect(cluster.supervisor.output).not.toContain('the primary ran')
})
