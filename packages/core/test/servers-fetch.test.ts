import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { platform, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { spawnNode } from '@stepladder/core/testing'
import { describe, expect, onTestFinished, test } from 'vitest'

const script = join(import.meta.dirname, 'fixtures/servers-fetched.ts')
const servers = ['redis-server', 'valkey-server', 'postgres']
const whyNot = await reasonToSkip()
if (whyNot) console.info(`skipped: fetching servers (${whyNot})`)

describe.skipIf(whyNot)('on a machine without Redis and Postgres', () => {
  test('two processes that fetch them at once both have them, and the next one fetches nothing', async () => {
    const { PATH, STEPLADDER_CACHE } = await machine({ without: servers })
    const env = { PATH, STEPLADDER_CACHE, REDIS_URL: undefined, DATABASE_URL: undefined }

    const first = [spawnNode(script, { env }), spawnNode(script, { env })]
    for (const process of first) {
      expect(await process.exited, process.output).toEqual({ code: 0, signal: null })
      expect(process.output).toMatch(/Redis \d+\.\d+/)
      expect(process.output).toContain('PostgreSQL 18.4')
    }
    expect(first.map(({ output }) => output).join()).toContain('fetching Redis once')

    const later = spawnNode(script, { env })
    expect(await later.exited, later.output).toEqual({ code: 0, signal: null })
    expect(later.output).not.toContain('fetching')
    // Nothing half done is left behind.
    expect((await readdir(STEPLADDER_CACHE)).filter((name) => name.startsWith('.'))).toEqual([])
  }, 120_000)
})

test('where there is nothing to fetch with either, the error names the three remedies', async () => {
  const { PATH, STEPLADDER_CACHE } = await machine({ without: 'everything' })

  const run = spawnNode(script, { env: { PATH, STEPLADDER_CACHE } })
  await run.exited

  const errors = JSON.parse(/ERRORS (.*)/.exec(run.output)![1]!)
  expect(errors).toEqual([
    {
      code: 'SERVER_UNAVAILABLE',
      remedies: [
        expect.stringContaining('redis-server'),
        expect.stringContaining('apt-get'),
        expect.stringContaining('REDIS_URL'),
      ],
    },
    {
      code: 'SERVER_UNAVAILABLE',
      remedies: [
        expect.stringContaining('postgres'),
        expect.stringContaining('npm'),
        expect.stringContaining('DATABASE_URL'),
      ],
    },
  ])
})

/** A PATH that leads to all of this machine's programs but some, and an empty cache. */
async function machine({ without }: { without: readonly string[] | 'everything' }) {
  const folder = await mkdtemp(join(tmpdir(), 'stepladder-test-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const [PATH, STEPLADDER_CACHE] = [join(folder, 'bin'), join(folder, 'cache')]
  await mkdir(PATH)
  for (const place of without === 'everything' ? [] : process.env.PATH!.split(delimiter)) {
    for (const name of await readdir(place).catch(() => [])) {
      // As in a shell, the first place on the PATH that has a program wins.
      if (!without.includes(name)) await symlink(join(place, name), join(PATH, name)).catch(() => {})
    }
  }
  return { PATH, STEPLADDER_CACHE }
}

async function reasonToSkip(): Promise<string | undefined> {
  if (platform() !== 'linux') return `it needs Linux, and this is ${platform()}`
  const places = process.env.PATH!.split(delimiter)
  const names = (await Promise.all(places.map((place) => readdir(place).catch(() => [])))).flat()
  return names.includes('apt-get') ? undefined : 'there is no apt-get'
}
