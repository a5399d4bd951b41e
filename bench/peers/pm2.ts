import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { spawnNode } from '@stepladder/core/testing'
import type { Peer } from './peer.ts'

const require = createRequire(import.meta.url)

/** PM2's cluster mode. Its app calls `server.close()` on SIGINT, as the manual's page on graceful shutdown says. */
export const pm2: Peer = {
  name: 'PM2',
  // What the command `pm2` starts where no daemon runs. Started here, it ends with this process, however that ends.
  command({ folder }) {
    const home = join(folder, 'pm2')
    for (const part of ['logs', 'pids', 'modules']) mkdirSync(join(home, part), { recursive: true })
    const quiet = { PM2_DISABLE_VERSION_CHECK: '1', PM2_DISCRETE_MODE: '1' }
    return {
      file: require.resolve('pm2/lib/Daemon.js'),
      env: { PM2_HOME: home, CLOSE_ON: 'SIGINT', ...quiet },
    }
  },
  async afterStart(running, { file, workers }) {
    await running.untilItPrints(/New PM2 Daemon started/, 0)
    await command(running.environment, ['start', file, '--name', 'app', '--instances', String(workers)])
  },
  reload: ({ environment }) => command(environment, ['reload', 'app']),
}

async function command(env: Readonly<Record<string, string>>, args: readonly string[]): Promise<void> {
  await using process = spawnNode(require.resolve('pm2/bin/pm2'), { args, env })
  const { code } = await process.exited
  if (code !== 0) throw new Error(`pm2 ${args[0]} ended with code ${code}:\n${process.output}`)
}
