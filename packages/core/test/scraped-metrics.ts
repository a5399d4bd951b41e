import type { RunningCluster } from './running-cluster.ts'

type Metrics = ReadonlyMap<string, number>

/** Asks over a connection of its own; rejects when the worker that took it was killed. */
export async function scrape({ port }: RunningCluster): Promise<Metrics> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, {
    headers: { connection: 'close' },
    // It may have been taken by a worker that is about to be blocked.
    signal: AbortSignal.timeout(2_000),
  })
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]))
}
