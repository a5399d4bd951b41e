import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { type CommandLine, openCommandLine } from './command-line.ts'
import { fixture } from './running-cluster.ts'

// Each starts several processes, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

const app = fixture('captured-app.cjs')

async function pidOf(shell: CommandLine, instance: number): Promise<number> {
  const { workers } = JSON.parse((await shell.stepladder(['status', '--json'])).output)
  return workers.find((worker: { instance: number }) => worker.instance === instance).pid
}

test('a heap snapshot of a worker is what the developer tools read, and only its user may', async () => {
  await using shell = await openCommandLine()
  await shell.run(['--workers', '2', app])
  const pid = await pidOf(shell, 1)
  const { code, output } = await shell.stepladder(['heap-snapshot', '1'])
  expect(code).toBe(0)
  const file = output.trim()
  expect(file).toMatch(new RegExp(`^${shell.folder}/${pid}-\\d{8}-\\d{6}\\.heapsnapshot$`))
  const snapshot = JSON.parse(await shell.read(file.slice(shell.folder.length)))
  expect(Object.keys(snapshot)).toEqual(expect.arrayContaining(['snapshot', 'nodes', 'edges', 'strings']))
  expect(snapshot.snapshot.node_count).toBeGreaterThan(1_000)
  expect(snapshot.strings).toContain('Ticket')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test('a heap snapshot that takes longer than a hang may is not taken for one', {
  timeout: 120_000,
}, async () => {
  await using shell = await openCommandLine()
  const env = { TICKETS: '120000' }
  const cluster = await shell.run(['--workers', '1', '--hang', '500ms', app], { env })
  const pid = await pidOf(shell, 0)
  const captured = shell.stepladder(['heap-snapshot', '--out', 'large'])
  await vi.waitFor(() => stat(join(shell.folder, 'large')), { timeout: 30_000, interval: 5 })
  const startedAt = performance.now()
  await fetch(`http://127.0.0.1:${cluster.port}`)
  // Otherwise this would show nothing.
  expect(performance.now() - startedAt).toBeGreaterThan(800)
  expect(await captured).toMatchObject({ code: 0 })
  expect(await pidOf(shell, 0)).toBe(pid)
  expect(cluster.output).not.toContain('hangs')
})

test('control: one of which nobody was told is taken for a hang', async () => {
  await using shell = await openCommandLine()
  const env = { SNAPSHOT: join(shell.folder, 'own') }
  const cluster = await shell.run(['--workers', '1', '--hang', '500ms', app], { env })
  const pid = await pidOf(shell, 0)
  fetch(`http://127.0.0.1:${cluster.port}/snapshots`).catch(() => {})
  await cluster.waitForOutput(new RegExp(`worker ${pid} hangs`))
})

test("a CPU profile names the app's function that takes the time", async () => {
  await using shell = await openCommandLine()
  const { port } = await shell.run(['--workers', '1', app])
  let isOver = false
  const load = async () => {
    while (!isOver) await (await fetch(`http://127.0.0.1:${port}/hot`)).text()
  }
  const loaded = load()
  const { code, output } = await shell.stepladder([
    'cpu-profile',
    '--seconds',
    '1',
    '--out',
    'hot.cpuprofile',
  ])
  isOver = true
  await loaded
  expect(output.trim()).toBe(join(shell.folder, 'hot.cpuprofile'))
  expect(code).toBe(0)
  const profile = JSON.parse(await shell.read('hot.cpuprofile'))
  const hot = profile.nodes.find(
    (node: { callFrame: { functionName: string } }) => node.callFrame.functionName === 'countPrimes',
  )
  expect(hot.callFrame.url).toContain('captured-app.cjs')
  expect(profile.samples).toContain(hot.id)
})

test('a file that exists is left alone, and a folder that does not is named', async () => {
  await using shell = await openCommandLine()
  await shell.run(['--workers', '1', app])
  await shell.write('kept', 'as it was')
  const kept = await shell.stepladder(['heap-snapshot', '--out', 'kept'])
  expect(kept).toMatchObject({ code: 2, output: expect.stringContaining('"kept" exists already') })
  expect(await shell.read('kept')).toBe('as it was')
  const nowhere = await shell.stepladder(['cpu-profile', '--seconds', '0.1', '--out', 'no/where'])
  expect(nowhere).toMatchObject({
    code: 1,
    output: expect.stringMatching(/^stepladder: Worker \d+: ENOENT.*no\/where/),
  })
  const unknown = await shell.stepladder(['heap-snapshot', '7'])
  expect(unknown).toMatchObject({
    code: 2,
    output: expect.stringContaining('there is no worker 7; there are 0'),
  })
})

test('a worker makes one capture at a time, and one that dies meanwhile is told of', async () => {
  await using shell = await openCommandLine()
  await shell.run(['--workers', '1', app])
  const first = shell.stepladder(['cpu-profile', '--seconds', '60', '--out', 'first'])
  await vi.waitFor(() => stat(join(shell.folder, 'first')), { timeout: 30_000 })
  expect(await shell.stepladder(['heap-snapshot'])).toMatchObject({
    code: 1,
    output: expect.stringContaining('only one at a time'),
  })
  const pid = await pidOf(shell, 0)
  process.kill(pid, 'SIGKILL')
  expect(await first).toMatchObject({
    code: 1,
    output: expect.stringContaining(`Worker ${pid} ended before its file was complete`),
  })
})
