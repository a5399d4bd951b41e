import { ServerKeeper } from './server-keeper.ts'

let keeper: ServerKeeper | undefined

/**
 * For `globalSetup` of vitest's configuration: from now on `sharedRedis()` and `sharedPostgres()` start one
 * server per run rather than one per test file, when the first test asks.
 */
export async function setup(): Promise<void> {
  // Each project of a workspace calls this, and a run inside a run as well: the first keeper serves all.
  if (process.env.STEPLADDER_SERVERS) return
  keeper = new ServerKeeper()
  process.env.STEPLADDER_SERVERS = String(await keeper.listen())
}

/** Ends the servers that were started. */
export async function teardown(): Promise<void> {
  if (!keeper) return
  delete process.env.STEPLADDER_SERVERS
  await keeper.close()
  keeper = undefined
}
