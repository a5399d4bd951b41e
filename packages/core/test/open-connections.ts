import { sleep } from '@stepladder/core'
import { type ClusterUnderTest, type RunningCluster, startCluster } from './running-cluster.ts'

/** Far below the deadline of ten seconds, and far above what our own windows need. */
export const soonMs = 6_000

/** One worker that accepts for itself: who connects is served by the old one until its successor is up. */
export function start(overrides: Partial<ClusterUnderTest> = {}): Promise<RunningCluster> {
  return startCluster({ app: 'open-app.cjs', workers: 1, flags: ['--distribution', 'shared'], ...overrides })
}

/** Resolves `sinceMs` after the old worker was told to go; the returned function waits until it has gone. */
export async function beginReload(
  { supervisor }: RunningCluster,
  sinceMs = 500,
): Promise<() => Promise<unknown>> {
  supervisor.kill('SIGHUP')
  await supervisor.waitForOutput(/takes the place/)
  await sleep(sinceMs)
  return () => supervisor.waitForOutput(/: reloaded/)
}

/** A request, as far as its empty line. */
export function head(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`
}
