import { sleep } from '@stepladder/core'
import type { Figure } from '../figure.ts'
import { askOnce } from '../load/wire.ts'
import { nodeCluster } from '../peers/node-cluster.ts'
import type { Peer } from '../peers/peer.ts'
import { pm2 } from '../peers/pm2.ts'
import { type RunningPeer, startPeer } from '../peers/running-peer.ts'
import { stepladder } from '../peers/stepladder.ts'
import { inTurns, ratioFigure } from '../turns.ts'

const killsPerRound = 3
const askEveryMs = 5
const patienceMs = 10_000

/** How soon a replacement serves. With one worker, so that whoever answers after the kill is the replacement. */
export async function replaceTime(rounds: number): Promise<Figure[]> {
  // Without throng: with clients that ask meanwhile it replaces its worker late or never.
  const peers = [stepladder, pm2, nodeCluster]
  const what = 'time from kill -9 of the only worker to the first answer of its replacement, vs PM2'
  const turns = await inTurns(peers, rounds * killsPerRound, killOnce)
  return [ratioFigure({ id: 'replace-time', what, aim: '<= 0.8', armsUnit: 'ms' }, turns, pm2.name)]
}

/** Over a server of its own each time: a worker that dies soon after its start is replaced more slowly. */
async function killOnce(peer: Peer): Promise<number> {
  await using server = await startPeer(peer, { workers: 1 })
  await sleep(300)
  const [victim] = await server.workers()
  process.kill(victim!, 'SIGKILL')
  const killedAt = performance.now()
  await firstAnswer(server, victim!)
  return performance.now() - killedAt
}

/** Asks again and again without waiting: one that hangs or is refused must not hold up the others. */
async function firstAnswer({ name, port }: RunningPeer, victim: number): Promise<void> {
  const startedAt = performance.now()
  let isAnswered = false
  while (!isAnswered) {
    if (performance.now() - startedAt > patienceMs) throw new Error(`${name} replaced no worker`)
    askOnce(port, '/').then(
      (worker) => {
        isAnswered ||= worker !== victim
      },
      () => {},
    )
    await sleep(askEveryMs)
  }
}
