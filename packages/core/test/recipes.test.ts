import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseDuration } from '@stepladder/core'
import { spawnNode } from '@stepladder/core/testing'
import { expect, test } from 'vitest'
import { fixture, startCluster } from './running-cluster.ts'

const docs = fixture('../../../../docs')
const cli = fixture('../../bin/stepladder.js')
const pages = ['operations/systemd', 'operations/docker', 'operations/kubernetes']
const guides = ['guides/from-pm2', 'guides/from-throng', 'guides/from-node-cluster']

async function blockOf(page: string, language: string): Promise<string> {
  const text = await readFile(join(docs, `${page}.md`), 'utf8')
  return text.split(`\`\`\`${language}\n`)[1]!.split('```')[0]!
}

/** What a command says that was called with so many words. */
function stepladder(...words: string[]): string {
  const { stdout } = spawnSync(process.execPath, ['--conditions=@stepladder/source', cli, ...words])
  return String(stdout)
}

test('every command and every flag of ours that a recipe or a guide names is there', async () => {
  const texts = await Promise.all(
    [...pages, ...guides].map((page) => readFile(join(docs, `${page}.md`), 'utf8')),
  )
  const text = texts.join('\n')
  const commands = new Set([...text.matchAll(/`(?:npx )?stepladder ([a-z-]+)/g)].map(([, name]) => name!))
  const helps = [...commands].map((name) => stepladder(name, '--help'))
  expect([...commands].filter((_, index) => !helps[index]?.startsWith('Usage: stepladder'))).toEqual([])

  const others = ['--cpus', '--stop-timeout', '--init', '--read-only', '--tmpfs', '--signal', '--env-file']
  const foreign = [...others, '--if-present', '--omit', '--from', '--interval', '--max-old-space-size']
  const named = new Set([...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([flag]) => flag))
  const known = helps.join('\n')
  expect([...named].filter((flag) => !foreign.includes(flag) && !known.includes(`${flag} `))).toEqual([])
})

const analyzer = 'systemd-analyze'
const hasSystemd = spawnSync(analyzer, ['--version']).status === 0

test.skipIf(!hasSystemd)('systemd finds nothing wrong with the unit', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stepladder-unit-'))
  try {
    const unit = (await blockOf('operations/systemd', 'ini')).replaceAll('/usr/bin/node', process.execPath)
    await writeFile(join(folder, 'app.service'), unit.replace('User=app\n', 'User=root\n'))
    const { status, stderr } = spawnSync(analyzer, ['verify', join(folder, 'app.service')])
    expect({ status, stderr: String(stderr) }).toEqual({ status: 0, stderr: '' })
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('the pod has longer to end than the delay and the drain, and its command serves', async () => {
  const pod = await blockOf('operations/kubernetes', 'yaml')
  const args = /args: \[(.*)\]/
    .exec(pod)![1]!
    .split(', ')
    .map((word) => word.replaceAll('"', ''))
  // Durations in the form that the command line takes.
  const msOf = (flag: string) => parseDuration('test', flag, args[args.indexOf(flag) + 1] as `${number}s`)
  const grace = Number(/terminationGracePeriodSeconds: (\d+)/.exec(pod)![1])
  expect(grace * 1_000).toBeGreaterThan(msOf('--shutdown-delay') + msOf('--drain') + 3_000)

  expect(args.at(-1)).toBe('server.js')
  expect(args[args.indexOf('--health-port') + 1]).toBe(/name: health, containerPort: (\d+)/.exec(pod)![1])
  const flags = args.slice(0, -1).map((word) => (word === '9000' ? '0' : word))
  await using cluster = await startCluster({ app: 'plain-app.cjs', workers: 1, flags })
  const [, probes] = await cluster.supervisor.waitForOutput(/answered at (\S+)\/livez/)
  const port = new URL(probes!).port
  for (const [, path] of pod.matchAll(/httpGet: \{ path: (\S+), port: health \}/g)) {
    expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).toBe(200)
  }
  // The delay of the recipe is not to be waited for.
  cluster.supervisor.kill()
})

test("the image's command serves, and its health check tells when it does not", async () => {
  const image = await blockOf('operations/docker', 'dockerfile')
  const wordsOf = (line: RegExp) => JSON.parse(line.exec(image)![1]!) as string[] // what brackets hold
  const [program, ...flags] = wordsOf(/^CMD (\[.*\])$/m)
  expect(program).toBe('node_modules/.bin/stepladder')
  expect([flags.shift(), flags.pop()]).toEqual(['run', 'server.js'])
  const local = flags.map((word) => word.replace(':9000', ':0'))
  await using cluster = await startCluster({ app: 'plain-app.cjs', workers: 1, flags: local })
  const [, port] = await cluster.supervisor.waitForOutput(/answered at http:\/\/127\.0\.0\.1:(\d+)\/livez/)

  const [node, e, script] = wordsOf(/HEALTHCHECK .* CMD (\[.*\])$/m)
  expect([node, e]).toEqual(['node', '-e'])
  const check = async () => {
    const file = `data:text/javascript,${encodeURIComponent(script!.replace('9000', port!))}`
    await using process = spawnNode(fixture('idle.mjs'), { execArgv: ['--import', file] })
    return (await process.exited).code
  }
  expect(await check()).toBe(0)
  cluster.supervisor.kill('SIGTERM')
  await cluster.supervisor.exited
  expect(await check()).toBe(1)
})
