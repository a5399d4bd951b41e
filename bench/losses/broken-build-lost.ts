import { sleep } from '@stepladder/core'
import type { Figure } from '../figure.ts'
import { type LoadResult, underLoad } from '../load/load.ts'
import type { Peer } from '../peers/peer.ts'
import { pm2 } from '../peers/pm2.ts'
import { startPeer } from '../peers/running-peer.ts'
import { stepladder } from '../peers/stepladder.ts'
import { countFigure, inTurns, sum } from '../turns.ts'

/** 400 requests a second: a few on new connections, the others on kept ones. */
const load = { path: '/soon', keepAlive: 4, burst: 4 }
/** From the order to roll out; PM2 gives each worker three seconds to listen. */
const watchedMs = 10_000

/** Requests without an answer when a build is rolled out that throws at its start. */
export async function brokenBuildLost(rounds: number): Promise<Figure[]> {
  const turns = await inTurns([stepladder, pm2], rounds, rollOutBroken)
  const when = `in the ${watchedMs / 1_000} s from the order to roll out a build that throws at import`
  const what = `requests lost ${when}, ${rounds} times`
  return [
    countFigure({ id: 'broken-build-lost', what, aim: '<= 0', unit: 'requests' }, turns, (results) =>
      sum(results.map(({ failed }) => failed.length)),
    ),
  ]
}

async function rollOutBroken(peer: Peer): Promise<LoadResult> {
  await using running = await startPeer(peer)
  return await underLoad(running.port, load, async () => {
    await running.breakBuild()
    // How the order ends is not asked: what the clients see is.
    await Promise.all([running.reload().catch(() => {}), sleep(watchedMs)])
  })
}
