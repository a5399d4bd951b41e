import type { Figure } from '../figure.ts'
import { type LoadResult, underLoad } from '../load/load.ts'
import { httpTerminator, nodeCluster } from '../peers/node-cluster.ts'
import type { Peer } from '../peers/peer.ts'
import { pm2 } from '../peers/pm2.ts'
import { startPeer } from '../peers/running-peer.ts'
import { stepladder } from '../peers/stepladder.ts'
import { throng } from '../peers/throng.ts'
import { countFigure, inTurns, sum } from '../turns.ts'

/** Busy keep-alive connections, whose next request is what a mere `server.close()` loses; and new ones. */
const load = { path: '/', keepAlive: 24, burst: 4 }
const peers = [stepladder, pm2, throng, nodeCluster, httpTerminator]

/** Requests that got no answer while both workers were replaced, one reload a round. */
export async function reloadLost(rounds: number): Promise<Figure[]> {
  const turns = await inTurns(peers, rounds, reloadUnderLoad)
  const asked = sum(turns.get(stepladder.name)!.map(({ answered, failed }) => answered + failed.length))
  const what = `requests lost in ${rounds} rolling reloads of 2 workers under load, ours of ${asked}`
  return [
    countFigure({ id: 'reload-lost', what, aim: '<= 0', unit: 'requests' }, turns, (results) =>
      sum(results.map(({ failed }) => failed.length)),
    ),
  ]
}

async function reloadUnderLoad(peer: Peer): Promise<LoadResult> {
  await using running = await startPeer(peer)
  return await underLoad(running.port, load, async () => {
    try {
      await running.reload()
    } catch (cause) {
      // What its clients lost meanwhile counts all the same.
      if (peer === stepladder) throw cause
      console.log(`  ${peer.name}: a reload did not end: ${cause}`)
    }
  })
}
