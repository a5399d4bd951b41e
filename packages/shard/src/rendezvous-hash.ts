import { InvalidOptionError } from '@stepladder/core'
import { hashText } from './postgres-hash.ts'

/**
 * Which of the nodes a key belongs to: the one with the highest hash of node and key (Thaler and Ravishankar,
 * 1996). Taking any node away moves the keys of that node only; the order of `nodes` plays no part. Costs
 * one hash per node: for tens of nodes, not thousands.
 */
export function rendezvousHash(key: string, nodes: readonly string[]): string {
  let winner: string | undefined
  let highest = -1
  for (const node of nodes) {
    const score = hashText(`${node}/${key}`).low
    if (score > highest || (score === highest && node < winner!)) {
      winner = node
      highest = score
    }
  }
  if (winner === undefined) throw new InvalidOptionError('rendezvousHash', 'nodes', nodes, 'a list of names')
  return winner
}
