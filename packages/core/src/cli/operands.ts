import { UsageError } from './usage-error.ts'
import type { Words } from './words.ts'

/** Refuses words that a command has no use for. */
export function noOperands(owner: string, { operands }: Words): void {
  if (operands.length > 0)
    throw new UsageError(`${owner} does not know what to do with "${operands.join(' ')}"`)
}
