import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { freePort } from '@stepladder/core/testing'
import { describe, expect, test, vi } from 'vitest'
import { findProgram } from '../src/cli/program.ts'
import { openCommandLine } from './command-line.ts'
import { fixture } from './running-cluster.ts'

// Each starts several processes, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

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
