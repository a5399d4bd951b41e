import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnNode } from '@stepladder/core/testing'
import { expect, test } from 'vitest'
import { fixture, startCluster } from './running-cluster.ts'

test.skipIf(process.platform === 'win32')(
  'workers keep compiled code where nobody else can put any, where the app says, or not at all',
  async () => {
    const folderOf = async (env: Record<string, string>) => {
      await using cluster = await startCluster({ app: 'sockets-app.cjs', workers: 1, env })
      const { folder } = await cluster.json<{ folder: string | null }>('/compiled')
      const { pid } = await cluster.json<{ pid: number }>('/pid')
      // At the end of a worker Node itself would write it: no worker may come to its end, nor a successor.
      cluster.supervisor.kill('SIGSTOP')
      process.kill(pid, 'SIGKILL')
      cluster.supervisor.kill('SIGKILL')
      return folder
    }
    const temporary = await mkdtemp(join(tmpdir(), 'stepladder-compiled-'))
    try {
      const own = await folderOf({ TMPDIR: temporary })
      expect(own).toContain(temporary)
      expect(await readdir(own!)).not.toEqual([])
      const { mode } = await stat(join(temporary, (await readdir(temporary))[0]!))
      expect(mode & 0o077).toBe(0)
      const chosen = join(temporary, 'chosen')
      expect(await folderOf({ NODE_COMPILE_CACHE: chosen })).toContain(chosen)
      expect(await folderOf({ NODE_DISABLE_COMPILE_CACHE: '1' })).toBe(null)
    } finally {
      await rm(temporary, { recursive: true })
    }
  },
)

test.skipIf(process.platform === 'win32')(
  'control: a worker that is killed before it listens has kept none',
  async () => {
    const temporary = await mkdtemp(join(tmpdir(), 'stepladder-compiled-'))
    try {
      await using supervisor = spawnNode(fixture('../../bin/stepladder.js'), {
        args: ['run', '--workers', '1', fixture('hanging-app.cjs')],
        env: { PORT: '0', HANG_AT_ONCE: '1', TMPDIR: temporary },
        execArgv: ['--conditions=@stepladder/source'],
      })
      const [, worker] = await supervisor.waitForOutput(/hangs at once: (\d+)/)
      supervisor.kill()
      process.kill(Number(worker), 'SIGKILL')
      const entries = await readdir(temporary, { recursive: true, withFileTypes: true })
      expect(entries.filter((entry) => entry.isFile())).toEqual([])
    } finally {
      await rm(temporary, { recursive: true, maxRetries: 5 })
    }
  },
)
