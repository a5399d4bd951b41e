import { fileURLToPath } from 'node:url'
import type { RunningPeer } from './running-peer.ts'

/** A way to run one app in several workers: ours, and those that it is compared with. */
export interface Peer {
  readonly name: string
  /** The program that supervises, and how it is told what to run. */
  command(app: AppToRun): PeerCommand
  /** Tells the supervising program what to run, where its arguments cannot. */
  afterStart?(running: RunningPeer, app: AppToRun): Promise<void>
  /** Rolls all workers over as the peer's manual says; resolves when it is done, or has given up. */
  reload(running: RunningPeer): Promise<void>
}

export interface AppToRun {
  /** Full path of its file. */
  readonly file: string
  readonly workers: number
  /** For the process manager's own files; gone when the peer is stopped. */
  readonly folder: string
}

export interface PeerCommand {
  readonly file: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** The full path of an app, or of a peer's program, in `bench/apps`. */
export function appFile(name: string): string {
  return fileURLToPath(new URL(`../apps/${name}`, import.meta.url))
}
