import { sleep } from '@stepladder/core'
import { isRunning, seededRandom } from '@stepladder/core/testing'
import type { Figure } from '../figure.ts'
import { type FailedRequest, underLoad } from '../load/load.ts'
import { nodeCluster } from '../peers/node-cluster.ts'
import type { Peer } from '../peers/peer.ts'
import { pm2 } from '../peers/pm2.ts'
import { type RunningPeer, startPeer } from '../peers/running-peer.ts'
import { stepladder } from '../peers/stepladder.ts'
import { throng } from '../peers/throng.ts'
import { countFigure, inTurns, sum, type Turns } from '../turns.ts'

/** Answers take 20 ms, so that each worker always has some under way; new connections come in handfuls. */
const load = { path: '/soon', keepAlive: 8, burst: 8 }
const peers = [stepladder, nodeCluster, throng, pm2]
const killsPerRound = 2
const recoverMs = 1_500
/** A client that asks on a kept connection learns only now that it is cut. */
const unawareMs = 50

interface Killed {
  /** Failed as they must: what the victim had in hand is lost with it. */
  readonly inFlight: number
  readonly hanging: number
  readonly refused: number
  /** All that failed and were not in flight; those that hang or were refused too. */
  readonly lost: number
}

/** What clients lose when workers are killed by SIGKILL, by the way of losing it. */
export async function killLost(rounds: number): Promise<Figure[]> {
  const one = await inTurns(peers, rounds, (peer, round) => killUnderLoad(peer, 1, round))
  const all = await inTurns(peers, rounds, (peer, round) => killUnderLoad(peer, 2, round))
  return [
    ...figuresOf(one, 'kill-lost-one', 'when one worker of 2 died by kill -9'),
    ...figuresOf(all, 'kill-lost-all', 'when both workers died at once by kill -9'),
  ]
}

function figuresOf(turns: Turns<Killed>, id: string, when: string): Figure[] {
  const perKill = (suffix: string, what: string, kind: keyof Killed, aim?: string) =>
    countFigure(
      { id: id + suffix, what: `${what}, ${when}`, aim, unit: 'requests/kill' },
      turns,
      (rounds) => sum(rounds.map((round) => round[kind])) / (rounds.length * killsPerRound),
    )
  return [
    perKill('', 'requests lost beyond those in flight', 'lost', '<= 0'),
    perKill('-hanging', 'of them without answer or error for 4 s', 'hanging', '<= 0'),
    perKill('-refused', 'of them refused', 'refused', '<= 0'),
    perKill('-in-flight', 'requests in flight in the victim, lost in any case', 'inFlight'),
  ]
}

async function killUnderLoad(peer: Peer, victims: number, seed: number): Promise<Killed> {
  const random = seededRandom(seed)
  const kills: Kill[] = []
  await using running = await startPeer(peer)
  const { failed } = await underLoad(running.port, load, async () => {
    for (let kill = 0; kill < killsPerRound; kill++) {
      await sleep(random() * 40)
      kills.push(await killWorkers(running, victims))
      await sleep(recoverMs)
    }
  })
  return tellApart(failed, kills)
}

interface Kill {
  readonly sentAt: number
  /** The last of the victims was gone. */
  readonly goneAt: number
}

async function killWorkers(running: RunningPeer, victims: number): Promise<Kill> {
  const pids = (await running.workers()).slice(0, victims)
  const sentAt = performance.now()
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  while ((await Promise.all(pids.map(isRunning))).some(Boolean)) await sleep(1)
  return { sentAt, goneAt: performance.now() }
}

function tellApart(failed: readonly FailedRequest[], kills: readonly Kill[]): Killed {
  const count = (failure: FailedRequest['failure']) =>
    failed.filter((request) => request.failure === failure).length
  const inFlight = failed.filter((request) => kills.some((kill) => wasInFlight(request, kill))).length
  return { inFlight, hanging: count('hangs'), refused: count('refused'), lost: failed.length - inFlight }
}

function wasInFlight({ failure, sentAt, endedAt, isKept }: FailedRequest, kill: Kill): boolean {
  const wasSentBefore = sentAt <= kill.goneAt + (isKept ? unawareMs : 0)
  return failure === 'reset' && wasSentBefore && endedAt >= kill.sentAt && endedAt <= kill.goneAt + recoverMs
}
