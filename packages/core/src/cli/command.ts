import type { Flag, Words } from './words.ts'

/** What the program around the command line knows. */
export interface CliSurroundings {
  /** What each worker loads before FILE; a file for Node's --require. */
  readonly preload: string
  readonly version: string
}

/** One of the commands of `stepladder`: what its help says of it, and what it does. */
export interface Command {
  readonly name: string
  /** What stands after its options: `FILE`. */
  readonly operands: string
  /** One line for the list of commands. */
  readonly summary: string
  /** The rest that its own help says; whole sentences. */
  readonly details: string
  readonly flags: readonly Flag[]
  /** Whether what follows the first operand belongs to a program that this command runs. */
  readonly optionsFirst?: boolean
  /** Resolves when it is done; rejects with what went wrong. */
  run(words: Words, surroundings: CliSurroundings): Promise<void>
}
