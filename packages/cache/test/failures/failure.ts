import { sleep } from '@stepladder/core'
import type { Peer, PeerNode } from '../peers/peer.ts'

/** Something that goes wrong around a cache, played in the same way over ours and over its peers. */
export interface Failure {
  readonly id: string
  /** What is counted. */
  readonly what: string
  /** Cannot be played with a peer that has none. */
  readonly needsTags?: boolean
  /** How many answers were wrong; 0 for a cache that keeps its word. */
  play(peer: Peer, redis: RedisAddress): Promise<number>
}

export interface RedisAddress {
  readonly url: string
  readonly host: string
  readonly port: number
}

/** How long an invalidation may take to reach everybody. */
export const fenceMs = 1_000

/** The row that all nodes read. */
export const key = 'row'
export const tag = 'rows'

/** Waits for what may never come: a peer that hangs has given no answer. */
export async function within<T>(ms: number, answer: Promise<T>): Promise<T | undefined> {
  return Promise.race([answer.catch(() => undefined), sleep(ms).then(() => undefined)])
}

/** How many of these nodes have an old value, or none, for whoever asks now. */
export async function countWrong(nodes: readonly PeerNode[], right: string): Promise<number> {
  const answers = await Promise.all(nodes.map((node) => within(10_000, node.get(key))))
  return answers.filter((answer) => answer !== right).length
}
