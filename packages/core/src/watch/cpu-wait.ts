import { readFileSync } from 'node:fs'

/** How long the main thread of this process has waited for a CPU since it began, in milliseconds; 0 where nobody tells. */
export function mainThreadCpuWaitMs(): number {
  try {
    // Linux: nanoseconds on a CPU, nanoseconds of waiting for one, time slices.
    const [, waitedNs] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')
    return Number(waitedNs) / 1e6
  } catch {
    return 0
  }
}
