import { Agent, get } from 'node:http'
import { sleep } from '@stepladder/core'
import { freePort, spawnNode, startTcpProxy } from '@stepladder/core/testing'
import { expect, test, vi } from 'vitest'
import { saturatedKeepAlive } from './load/keep-alive.ts'
import { fixture, startCluster } from './running-cluster.ts'

test('answers that had begun before the drain, over a slow line, lose nothing either', async () => {
  await using cluster = await startCluster({ app: 'plain-app.cjs' })
  await using line = await startTcpProxy({ port: cluster.port })
  line.delay(10)
  const over = new AbortController()
  const target = { port: line.port, path: '/slow?ms=700', clients: 20, seed: 1, signal: over.signal }
  const load = saturatedKeepAlive(target)
  await sleep(500)
  cluster.supervisor.kill('SIGHUP')
  await cluster.supervisor.waitForOutput(/: reloaded\n/, 30_000).finally(() => over.abort())
  const { answered, lost } = await load
  expect(lost).toEqual({})
  expect(answered).toBeGreaterThan(40)
})

test('a second signal cuts nothing: Ctrl+C under npm comes twice', async () => {
  await using cluster = await startCluster({ app: 'plain-app.cjs' })
  const slow = fetch(`http://127.0.0.1:${cluster.port}/slow?ms=800&say`)
  await cluster.supervisor.waitForOutput(/a slow answer begins/)
  cluster.supervisor.kill('SIGINT')
  await cluster.supervisor.waitForOutput(/stopping: /)
  cluster.supervisor.kill('SIGINT')
  expect(await (await slow).text()).toBe('done')
  expect((await cluster.supervisor.exited).code).toBe(0)
})

test('Ctrl+C does not wait for what a browser leaves open', async () => {
  await using cluster = await startCluster({ app: 'plain-app.cjs', flags: ['--drain', '40s'] })
  const agent = new Agent({ keepAlive: true })
  await new Promise<void>((resolve, reject) => {
    get({ port: cluster.port, path: '/', agent }, (response) => response.resume().once('end', resolve)).once(
      'error',
      reject,
    )
  })
  const toldAt = performance.now()
  cluster.supervisor.kill('SIGINT')
  expect((await cluster.supervisor.exited).code).toBe(0)
  // Told by SIGTERM, it would give the connection half of its 40 s.
  expect(performance.now() - toldAt).toBeLessThan(15_000)
  agent.destroy()
})

test('a worker that is told to go by itself is replaced while it drains', async () => {
  await using cluster = await startCluster({ app: 'plain-app.cjs', workers: 1 })
  const { pid } = await cluster.json<{ pid: number }>('/pid')
  const slow = fetch(`http://127.0.0.1:${cluster.port}/slow?ms=6000&say`)
  await cluster.supervisor.waitForOutput(/a slow answer begins/)
  process.kill(pid, 'SIGTERM')
  await vi.waitFor(async () => expect(await cluster.json('/pid')).not.toMatchObject({ pid }), {
    timeout: 10_000,
  })
  expect(await (await slow).text()).toBe('done')
})

test.each([
  ['under the command line', 'stepladder'],
  ['from code', 'node'],
])("%s, what was registered is closed, and then the app's own handler runs", async (_where, command) => {
  const port = await freePort()
  const args = ['run', '--workers', '1', fixture('own-shutdown.mjs')]
  await using process = spawnNode(
    command === 'node' ? fixture('own-shutdown.mjs') : fixture('../../bin/stepladder.js'),
    {
      args: command === 'node' ? [] : args,
      env: { PORT: String(port) },
      execArgv: ['--conditions=@stepladder/source'],
    },
  )
  await process.waitForOutput(/1 of 1 workers serve/)
  process.kill('SIGTERM')
  expect((await process.exited).code).toBe(0)
  expect(process.output).toMatch(/registered part closed\nown handler ran\n/)
})

test('a signal to the whole group keeps the drain that was asked for, and closes what was registered', async () => {
  await using cluster = await startCluster({
    app: 'own-shutdown.mjs',
    workers: 1,
    flags: ['--drain', '600ms'],
    env: { WITHOUT_HANDLER: '1' },
  })
  const { pid } = await cluster.json<{ pid: number }>('/pid')
  const endless = fetch(`http://127.0.0.1:${cluster.port}/endless`).catch(() => 'cut')
  await sleep(200)
  process.kill(pid, 'SIGTERM')
  cluster.supervisor.kill('SIGTERM')
  expect(await endless).toBe('cut')
  expect((await cluster.supervisor.exited).code).toBe(0)
  expect(cluster.supervisor.output).toContain('registered part closed')
})

test('SIGTERM lets a request in flight finish, and ends with code 0', async () => {
  await using cluster = await startCluster({ app: 'plain-app.cjs' })
  const slow = fetch(`http://127.0.0.1:${cluster.port}/slow?ms=800&say`)
  await cluster.supervisor.waitForOutput(/a slow answer begins/)
  cluster.supervisor.kill('SIGTERM')
  expect(await (await slow).text()).toBe('done')
  expect((await cluster.supervisor.exited).code).toBe(0)
})

test('a request that outlasts the drain is cut, so that a deploy ends', async () => {
  await using cluster = await startCluster({ app: 'plain-app.cjs', flags: ['--drain', '300ms'] })
  const endless = fetch(`http://127.0.0.1:${cluster.port}/slow?ms=60000&say`).catch(() => 'cut')
  await cluster.supervisor.waitForOutput(/a slow answer begins/)
  cluster.supervisor.kill('SIGTERM')
  expect(await endless).toBe('cut')
  expect((await cluster.supervisor.exited).code).toBe(0)
})
