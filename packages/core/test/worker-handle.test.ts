import { access, mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from '@stepladder/core'
import { expect, test, vi } from 'vitest'
import { WorkerHandle } from '../src/cluster/worker-handle.ts'
import type { ToSupervisor } from '../src/link/messages.ts'

test.skipIf(process.platform === 'win32')(
  'what is said in the name of a worker that is gone is not heard: nobody would take it back',
  async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'stepladder-handle-'))
    const said = join(folder.path, 'said')
    // A child that leaves the group of its worker keeps the other end of the channel, and speaks when that is over.
    const script = `echo '{"stepladder":"stand","id":1,"name":"early"}' >&3; sleep 1.5
      echo '{"stepladder":"stand","id":2,"name":"late"}' >&3; touch ${said}`
    const program = join(folder.path, 'parting.cjs')
    await writeFile(
      program,
      `require('node:child_process')
        .spawn('sh', ['-c', ${JSON.stringify(script)}], { stdio: [0, 1, 2, 3], detached: true })
      setTimeout(() => process.exit(0), 300)`,
    )
    const heard: ToSupervisor[] = []
    const worker = new WorkerHandle({
      program: { exec: program, args: [], execArgv: [] },
      situation: { drainMs: 1_000, distribution: 'shared' },
      instance: 0,
      generation: 1,
      hear: (message) => heard.push(message),
    })
    expect(await worker.exited).toEqual({ code: 0, signal: null })
    await vi.waitFor(() => access(said), { timeout: 10_000 })
    await sleep(100)
    expect(heard).toEqual([{ stepladder: 'stand', id: 1, name: 'early' }])
  },
)
