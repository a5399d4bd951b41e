import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sleep } from '@stepladder/core'
import { expect, test, vi } from 'vitest'
import { watchCode } from '../src/cli/watch.ts'
import { type CommandLine, openCommandLine } from './command-line.ts'

// Each starts several processes, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

/** What is told of changes below the folder; `told` waits for as many as that. */
function watching(shell: CommandLine) {
  const changes: string[] = []
  const watch = watchCode(shell.folder, {
    onChange: (file) => changes.push(file),
    log: (line) => changes.push(line),
    // A file is emptied and then written: on a busy machine not in one go.
    quietMs: 250,
  })
  return {
    changes,
    told: (count: number) => vi.waitFor(() => expect(changes).toHaveLength(count), { timeout: 10_000 }),
    [Symbol.asyncDispose]: () => watch.close(),
  }
}

test('a file that is changed, made, replaced or removed is told of', async () => {
  await using shell = await openCommandLine()
  await shell.write('server.js', 'one')
  await using watch = watching(shell)
  await shell.write('server.js', 'two')
  await watch.told(1)
  await shell.write('new.ts', '')
  await watch.told(2)
  // As many editors save: the new text beside the old one, and then over it.
  await shell.write('server.js~', 'three')
  await rename(join(shell.folder, 'server.js~'), join(shell.folder, 'server.js'))
  await watch.told(3)
  await rm(join(shell.folder, 'new.ts'))
  await watch.told(4)
  await shell.write('.env', 'A=1')
  await watch.told(5)
  expect(watch.changes).toEqual(['server.js', 'new.ts', 'server.js', 'new.ts', '.env'])
})

test('a burst of changes is told of once', async () => {
  await using shell = await openCommandLine()
  await using watch = watching(shell)
  for (let file = 0; file < 20; file++) await shell.write(`${file}.js`, '')
  await watch.told(1)
  await sleep(600)
  expect(watch.changes).toHaveLength(1)
})

test('folders that are made, moved away and made again are watched', async () => {
  await using shell = await openCommandLine()
  await mkdir(join(shell.folder, 'old/deep'), { recursive: true })
  await using watch = watching(shell)
  await shell.write('old/deep/a.js', '')
  await watch.told(1)
  await mkdir(join(shell.folder, 'lib'))
  await watch.told(2)
  await shell.write('lib/b.js', '')
  await watch.told(3)
  await rm(join(shell.folder, 'lib'), { recursive: true })
  await mkdir(join(shell.folder, 'lib'))
  await watch.told(4)
  await shell.write('lib/c.js', '')
  await watch.told(5)
  expect(watch.changes.filter((file) => file.endsWith('.js'))).toEqual(
    ['old/deep/a.js', 'lib/b.js', 'lib/c.js'].map((file) => join(file)),
  )
})

test('what a server writes while it runs, packages, and folders with a dot are left alone', async () => {
  await using shell = await openCommandLine()
  for (const folder of ['node_modules/express', '.git', 'uploads']) {
    await mkdir(join(shell.folder, folder), { recursive: true })
  }
  await using watch = watching(shell)
  for (const file of [
    'node_modules/express/index.js',
    '.git/index.js',
    'app.log',
    'uploads/cat.png',
    '.a.js.swp',
  ]) {
    await writeFile(join(shell.folder, file), 'changed')
  }
  await sleep(600)
  expect(watch.changes).toEqual([])
  await shell.write('server.js', '')
  await watch.told(1)
})

const server = (answer: string) =>
  `require('node:http').createServer((_, response) => response.end('${answer}')).listen(process.env.PORT)`

test('run --watch rolls over to what was saved, and a broken build leaves the old one serving', async () => {
  await using shell = await openCommandLine()
  await shell.write('server.js', server('first'))
  const cluster = await shell.run(['--workers', '1', '--watch', 'server.js'])
  const answer = async () => (await fetch(`http://127.0.0.1:${cluster.port}`)).text()
  const answers = (expected: string) =>
    vi.waitFor(async () => expect(await answer()).toBe(expected), { timeout: 30_000 })
  expect(await answer()).toBe('first')

  await shell.write('server.js', server('second'))
  await answers('second')
  expect(cluster.output).toContain('server.js has changed; reloading')

  await shell.write('server.js', 'const broken =')
  await cluster.waitForOutput(/SyntaxError[\s\S]*The new build did not come up/, 30_000)
  expect(await answer()).toBe('second')

  await shell.write('server.js', server('third'))
  await answers('third')
})

test('run --watch over a server that cannot start waits until it is mended', async () => {
  await using shell = await openCommandLine()
  await shell.write('server.js', 'throw new Error("not yet")')
  const cluster = await shell.run(['--workers', '1', '--watch', 'server.js'], { up: /waiting for a change/ })
  await shell.write('server.js', server('mended'))
  await vi.waitFor(
    async () => expect(await (await fetch(`http://127.0.0.1:${cluster.port}`)).text()).toBe('mended'),
    { timeout: 30_000 },
  )
})
