import { availableParallelism } from 'node:os'
import { InvalidOptionError } from '../errors.ts'

/** `'auto'` is one worker per core that this process may use. */
export type Workers = 'auto' | number

/** More workers than this are a slip of the pen, and would take the machine down. */
const mostWorkers = 1_024

/** How many workers to run. Throws `InvalidOptionError` in the name of `owner` for anything but 1 to 1024. */
export function countWorkers(owner: string, workers: Workers): number {
  if (workers === 'auto') return availableParallelism()
  if (!Number.isInteger(workers) || workers < 1 || workers > mostWorkers) {
    throw new InvalidOptionError(
      owner,
      'workers',
      workers,
      `"auto" or a whole number from 1 to ${mostWorkers}`,
    )
  }
  return workers
}
