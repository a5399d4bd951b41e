import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InvalidOptionError, isStepladderError, runCluster, UnknownOptionError } from '@stepladder/core'
import { describe, expect, test, vi } from 'vitest'
import { openCommandLine } from './command-line.ts'
import { fixture } from './running-cluster.ts'

// Each starts several processes, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

const app = fixture('plain-app.cjs')
const cli = fileURLToPath(new URL('../bin/stepladder.js', import.meta.url))
const listen = `require('node:http').createServer((_, answer) => answer.end(String(process.pid))).listen(process.env.PORT)`

describe('a cluster inside a cluster', () => {
  const forks = `
    const cluster = require('node:cluster')
    if (cluster.isPrimary) for (let n = 0; n < 5; n++) cluster.fork()
    else ${listen}`
  const throngs = `require('throng')({ workers: 5, worker: () => ${listen} })`
  test.each([
    ["node:cluster's", 'server.cjs', forks],
    ["throng's", 'server.cjs', throngs],
  ])('%s workers are not started: ours are taken for them', async (_, file, text) => {
    await using shell = await openCommandLine()
    await symlink(
      fileURLToPath(new URL('../../../node_modules', import.meta.url)),
      join(shell.folder, 'node_modules'),
    )
    await shell.write(file, text)
    const { port } = await shell.run(['--workers', '2', file])
    const { workers } = JSON.parse((await shell.stepladder(['status', '--json'])).output)
    const pids = workers.map(({ pid }: { pid: number }) => String(pid))
    for (let asked = 0; asked < 10; asked++) {
      const answer = await fetch(`http://127.0.0.1:${port}`, { headers: { connection: 'close' } })
      expect(pids).toContain(await answer.text())
    }
  })

  test('runCluster under stepladder run starts the app, and says whose options hold', async () => {
    await using shell = await openCommandLine()
    const cluster = await shell.run(['--workers', '1', fixture('run-cluster-app.mjs')])
    expect(cluster.output).toContain(
      'runCluster: this process is a worker of "stepladder run", whose options hold',
    )
    expect((await fetch(`http://127.0.0.1:${cluster.port}/pid`)).ok).toBe(true)
  })

  test('stepladder run in a worker is refused, and by a child of one it is said', async () => {
    await using shell = await openCommandLine()
    const direct = await shell.run(['--workers', '1', cli, 'run', app], {
      up: /this is a worker of a cluster already/,
    })
    await direct.stop()
    await shell.write(
      'server.cjs',
      `require('node:child_process').spawn(process.execPath,
        ['--conditions=@stepladder/source', ${JSON.stringify(cli)}, 'run', '--workers', '1', ${JSON.stringify(app)}],
        { stdio: 'inherit' })`,
    )
    const outer = await shell.run(['--workers', '1', 'server.cjs'], { up: /1 of 1 workers serve/ })
    expect(outer.output).toContain(`started by a worker of the supervisor ${outer.pid}`)
  })
})

describe('a call of runCluster that cannot be meant', () => {
  test.each([
    ['workers', 0],
    ['workers', -1],
    ['workers', 1e6],
    ['workers', 1.5],
    ['workers', Number.NaN],
    ['workers', ''],
    ['workers', '2'],
    ['drain', 'soon'],
    ['drain', Infinity],
    ['distribution', 'fair'],
  ])('%s: %j is refused', async (option, value) => {
    const call = runCluster(() => {}, { [option]: value })
    await expect(call).rejects.toThrow(InvalidOptionError)
    await expect(call).rejects.toThrow(`runCluster: option "${option}" must be`)
  })

  test('an option that is not known is refused, and the nearest one proposed', async () => {
    // @ts-expect-error: wrokers
    const call = runCluster(() => {}, { wrokers: 2 })
    await expect(call).rejects.toThrow(UnknownOptionError)
    await expect(call).rejects.toThrow('there is no option "wrokers"; did you mean "workers"?')
  })

  test('options in place of the function are refused', async () => {
    // @ts-expect-error: no function
    await expect(runCluster({ workers: 2 })).rejects.toThrow(
      'option "start" must be a function, but is an object',
    )
  })

  test('a second call, and one from a thread, are refused', async () => {
    await using shell = await openCommandLine()
    const source = fileURLToPath(new URL('../src/index.ts', import.meta.url))
    await shell.write(
      'twice.mjs',
      `import { createServer } from 'node:http'
      import { runCluster } from ${JSON.stringify(source)}
      const start = () => createServer((_, answer) => answer.end()).listen(process.env.PORT)
      runCluster(start, { workers: 1 })
      runCluster(start).catch((failure) => console.log(failure.code, failure.message))`,
    )
    const twice = await shell.run([], { program: join(shell.folder, 'twice.mjs') })
    // In the primary process and in its worker.
    await twice.waitForOutput(/(CLUSTER_CALL runCluster runs already in this process[\s\S]*){2}/)
    await shell.write(
      'thread.mjs',
      `import { isMainThread, Worker } from 'node:worker_threads'
      import { runCluster } from ${JSON.stringify(source)}
      if (isMainThread) new Worker(new URL(import.meta.url)).on('error', ({ code, message }) => console.log(code, message))
      else await runCluster(() => {})`,
    )
    const up = /CLUSTER_CALL .*call it in the main thread/
    await shell.run([], { program: join(shell.folder, 'thread.mjs'), up })
  })

  test('a wrong call throws an error of ours', async () => {
    const failure = await runCluster(() => {}, { workers: 0 }).catch((reason: unknown) => reason)
    expect(isStepladderError(failure)).toBe(true)
  })
})
