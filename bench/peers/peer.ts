import { fileURLToPath } from 'node:url'
import type { NodeProcess } from '@stepladder/core/testing'

/** A way to run one app in several workers: ours, and those that it is compared with. */
export interface Peer {
  readonly name: string
  /** The program that supervises, and how it is told what to run. */
  command(app: AppToRun): PeerCommand
  /** Tells the supervising program what to run, where its arguments cannot. */
  afterStart?(running: PeerInService, app: AppToRun): Promise<void>
  /** Rolls all workers over as the peer's manual says; resolves when it is done, or has given up. */
  reload(running: PeerInService): Promise<void>
}

/** A peer that runs, as far as it is steered in its own way. */
export interface PeerInService {
  readonly supervisor: NodeProcess
  /** What was added to the environment of the supervising process. */
  readonly environment: Readonly<Record<string, string>>
  /** All that was printed so far. */
  readonly output: string
  /** The workers that live and have listened. */
  workers(): Promise<number[]>
  /** Resolves when so many workers listen that are not in `besides`. */
  untilWorkersListen(count: number, limits?: ListenLimits): Promise<void>
  /** Resolves when that stands in what it printed after its first `before` characters. */
  untilItPrints(pattern: RegExp, before: number): Promise<void>
}

export interface ListenLimits {
  /** Who is not counted. */
  readonly besides?: readonly number[]
  /** Default 20 seconds. */
  readonly withinMs?: number
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
