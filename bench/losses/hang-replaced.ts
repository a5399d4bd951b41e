import { sleep } from '@stepladder/core'
import type { Figure } from '../figure.ts'
import { nodeCluster } from '../peers/node-cluster.ts'
import type { Peer } from '../peers/peer.ts'
import { pm2 } from '../peers/pm2.ts'
import { startPeer } from '../peers/running-peer.ts'
import { stepladder } from '../peers/stepladder.ts'
import { throng } from '../peers/throng.ts'
import { countFigure, inTurns } from '../turns.ts'

const watchedMs = 8_000

interface Hang {
  /** Milliseconds from the start of the loop until a line of the log names the worker; null for never. */
  readonly foundMs: number | null
  /** Until another worker listens in its place. */
  readonly replacedMs: number | null
}

/** How long a worker in an endless loop goes unnoticed, and how long its place stays empty. */
export async function hangReplaced(rounds: number): Promise<Figure[]> {
  const turns = await inTurns([stepladder, nodeCluster, throng, pm2], rounds, hangOne)
  const figure = (id: string, what: string, aim: string, of: keyof Hang) =>
    countFigure(
      { id, what: `longest time until ${what}, watched for ${watchedMs / 1_000} s`, aim, unit: 'ms' },
      turns,
      (hangs) => longest(hangs.map((hang) => hang[of])),
    )
  return [
    figure('hang-found', 'the log names a worker that is in an endless loop', '<= 2000', 'foundMs'),
    figure('hang-replaced', 'another worker listens in its place', '<= 3000', 'replacedMs'),
  ]
}

async function hangOne(peer: Peer): Promise<Hang> {
  await using running = await startPeer(peer)
  const before = await running.workers()
  const printed = running.output.length
  const answer = await fetch(`http://127.0.0.1:${running.port}/hang`, { headers: { connection: 'close' } })
  await answer.text()
  const victim = answer.headers.get('x-worker')
  const named = new RegExp(`\\b${victim}\\b`)
  const startedAt = performance.now()

  let foundMs: number | null = null
  let replacedMs: number | null = null
  while (performance.now() - startedAt < watchedMs && (foundMs === null || replacedMs === null)) {
    await sleep(10)
    const now = performance.now() - startedAt
    if (named.test(running.output.slice(printed))) foundMs ??= now
    if ((await running.workers()).some((pid) => !before.includes(pid))) replacedMs ??= now
  }
  return { foundMs, replacedMs }
}

function longest(times: readonly (number | null)[]): number | null {
  return times.reduce((a, b) => (a === null || b === null ? null : Math.max(a, b)), 0)
}
