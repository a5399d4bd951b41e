import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, symlink } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InvalidOptionError, isStepladderError, runCluster, UnknownOptionError } from '@stepladder/core'
import { freePort } from '@stepladder/core/testing'
import { describe, expect, test, vi } from 'vitest'
import { findProgram } from '../src/cli/program.ts'
import { openCommandLine } from './command-line.ts'
import { fixture } from './running-cluster.ts'

// Each starts several processes, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

const app = fixture('plain-app.cjs')
const cli = fileURLToPath(new URL('../bin/stepladder.js', import.meta.url))
const listen = `require('node:http').createServer((_, answer) => answer.end(String(process.pid))).listen(process.env.PORT)`

describe('a file that is no server for Node.js', () => {
  test.each([
    ['nowhere.js', 'there is no file "nowhere.js"'],
    ['.tmp', '".tmp" is a folder without an index.js; which file in it?'],
    ['style.css', '"style.css" is no program that Node.js runs: .css is not among .js, .cjs, .mjs'],
  ])('%s is refused with code 2', async (file, reason) => {
    await using shell = await openCommandLine()
    await shell.write('style.css', 'body { color: red }')
    const { code, output } = await shell.stepladder(['run', file])
    expect(output).toContain(reason)
    expect(code).toBe(2)
  })

  test('a folder with an index.js, and a file without its extension, are found as Node.js finds them', async () => {
    await using shell = await openCommandLine()
    await mkdir(join(shell.folder, 'site'))
    await shell.write('site/index.js', listen)
    await shell.write('server.js', listen)
    expect(findProgram('site', shell.folder)).toBe(join(shell.folder, 'site/index.js'))
    expect(findProgram('./server', shell.folder)).toBe(join(shell.folder, 'server.js'))
  })

  test('a file that never has an extension, such as bin/www, runs', async () => {
    await using shell = await openCommandLine()
    await shell.write('www', `#!/usr/bin/env node\n${listen}`)
    const { port } = await shell.run(['--workers', '1', 'www'])
    expect((await fetch(`http://127.0.0.1:${port}`)).ok).toBe(true)
  })

  test('TypeScript runs where Node.js runs it, and the way to get there is named where not', async () => {
    await using shell = await openCommandLine()
    await shell.write('server.ts', `const port: string | undefined = process.env.PORT\n${listen}`)
    if (process.features.typescript) {
      const { port } = await shell.run(['--workers', '1', 'server.ts'])
      expect((await fetch(`http://127.0.0.1:${port}`)).ok).toBe(true)
    } else {
      const { code, output } = await shell.stepladder(['run', 'server.ts'])
      expect(output).toMatch(/"server.ts" is TypeScript, .*compile it, or set NODE_OPTIONS=--import=tsx/)
      expect(code).toBe(2)
    }
  })
})

describe('a server that does not stay', () => {
  test.each([
    ['throws when it is loaded', 'server.cjs', 'throw new Error("no database")', 'no database'],
    ['rejects when it is loaded', 'server.mjs', 'await Promise.reject(new Error("no secret"))', 'no secret'],
    ['has a syntax error', 'server.cjs', 'const broken = =', 'SyntaxError'],
    ['exits with code 0 at once', 'server.cjs', 'process.exit(0)', 'exited with code 0'],
  ])('that %s ends the command with code 1, its own error and the remedy', async (_, file, text, reason) => {
    await using shell = await openCommandLine()
    await shell.write(file, text)
    const { code, output } = await shell.stepladder(['run', '--workers', '1', file])
    expect(output).toContain(reason)
    expect(output).toMatch(/giving up: 5 workers in a row died within 5 s.*run the server with plain node/)
    expect(code).toBe(1)
  })
})

describe('a server that listens otherwise than once', () => {
  test('that never listens is said so, and runs', async () => {
    await using shell = await openCommandLine()
    const cluster = await shell.run([], {
      program: fixture('impatient-supervisor.ts'),
      env: { APP: fixture('idle.mjs') },
      up: /worker \d+ does not listen on any port after 0.5 s; it goes on, but what never listens can only be/,
    })
    await cluster.waitForOutput(/0 of 1 workers serve/)
    const reload = await shell.stepladder(['reload'])
    expect(reload).toMatchObject({ code: 1, output: expect.stringContaining('does not listen') })
    expect((await cluster.stop()).code).toBe(0)
  })

  test('that listens on two ports serves on both', async () => {
    await using shell = await openCommandLine()
    const second = await freePort()
    await shell.write('server.cjs', `${listen}\n${listen.replace('PORT', 'SECOND')}`)
    const { port } = await shell.run(['--workers', '2', 'server.cjs'], { env: { SECOND: String(second) } })
    for (const each of [port, second]) expect((await fetch(`http://127.0.0.1:${each}`)).ok).toBe(true)
  })

  test.each(['shared', 'dispatch', 'reuseport'])(
    'that listens on one port twice fails as under plain node: %s',
    async (kind) => {
      await using shell = await openCommandLine()
      await shell.write(
        'server.cjs',
        `${listen}.on('listening', () => ${listen}.on('error', (e) => console.log(e.code)))`,
      )
      const cluster = await shell.run(['--workers', '1', '--distribution', kind, 'server.cjs'])
      if (kind === 'reuseport') return
      await cluster.waitForOutput(/EADDRINUSE/)
      await cluster.waitForOutput(/cannot listen on port \d+ .*it listens there already, in the same worker/)
    },
  )

  test('on a port that another program has is told which, once, and ends with code 1', async () => {
    await using shell = await openCommandLine()
    const other = createServer().listen(0)
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' ? address?.port : undefined
    await shell.write('server.cjs', listen.replace('process.env.PORT', String(port)))
    const { code, output } = await shell.stepladder(['run', '--workers', '1', 'server.cjs'])
    other.close()
    const said = output.match(
      new RegExp(`the app cannot listen on port ${port} \\(EADDRINUSE\\): another program`, 'g'),
    )
    expect(said).toHaveLength(1)
    expect(code).toBe(1)
  })
})

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

describe('surroundings that are missing', () => {
  /** Runs a line of the shell, with the command line as `$stepladder`; its output and its exit code. */
  async function inShell(line: string, folder: string, port: number) {
    const stepladder = `${process.execPath} --conditions=@stepladder/source ${cli}`
    const env = { ...process.env, PORT: String(port), app, stepladder, TMPDIR: join(folder, '.tmp') }
    const child = spawn('bash', ['-c', line], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    const [code] = await once(child, 'close')
    return { code, output }
  }
  const serves = (port: number) =>
    vi.waitFor(async () => expect((await fetch(`http://127.0.0.1:${port}/pid`)).ok).toBe(true), {
      timeout: 10_000,
    })

  test.skipIf(process.platform === 'win32')(
    'the folder it was started in is gone: code 2, and what to do',
    async () => {
      await using shell = await openCommandLine()
      const line = 'mkdir gone && cd gone && rmdir ../gone && $stepladder run server.js'
      const { code, output } = await inShell(line, shell.folder, 0)
      expect(output).toContain('the folder that this was started in is gone')
      expect(code).toBe(2)
    },
  )

  test.skipIf(process.platform === 'win32').each([
    ['stdin', '<&-'],
    ['stdout and stderr', '>&- 2>&-'],
    // It takes the first line and leaves; whoever writes after that writes into a broken pipe.
    ['the reader of a pipe', '2>&1 | head -1'],
  ])('without %s it serves and stops', async (_, redirection) => {
    await using shell = await openCommandLine()
    const port = await freePort()
    const ended = inShell(
      `set -o pipefail; $stepladder run --workers 1 $app ${redirection}`,
      shell.folder,
      port,
    )
    await serves(port)
    // Both are logged.
    expect(await shell.stepladder(['reload'])).toMatchObject({ code: 0 })
    expect(await shell.stepladder(['stop'])).toMatchObject({ code: 0 })
    expect(await ended).toMatchObject({ code: 0 })
  })

  test('an app that writes under our name what nobody understands harms nobody, in a reload neither', async () => {
    await using shell = await openCommandLine()
    await shell.write('server.cjs', `process.send({ stepladder: 'listen' })\n${listen}`)
    const cluster = await shell.run(['--workers', '1', 'server.cjs'])
    await cluster.waitForOutput(/sent what cannot be handled \(listen\)/)
    expect(await shell.stepladder(['reload'])).toMatchObject({ code: 0 })
    await serves(cluster.port)
  })

  test('an app that closes the channel to its supervisor is told, and goes on serving', async () => {
    await using shell = await openCommandLine()
    await shell.write('server.cjs', `${listen}\nprocess.disconnect()`)
    const cluster = await shell.run(['--workers', '1', 'server.cjs'])
    await cluster.waitForOutput(/process.disconnect\(\) does nothing in a worker/)
    await serves(cluster.port)
    expect((await cluster.stop()).code).toBe(0)
  })
})
