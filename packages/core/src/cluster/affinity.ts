import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * On how many CPUs this process may run (taskset, cpusets), whatever its quota; undefined where Linux does not tell.
 * `os.availableParallelism()` has the quota rounded down in it already, where it sees one.
 */
export function allowedCpus(root = '/'): number | undefined {
  try {
    const status = readFileSync(join(root, 'proc/self/status'), 'utf8')
    const allowed = parseCpuList(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1])
    // The mask may hold CPUs that this machine does not have.
    const online = parseCpuList(readFileSync(join(root, 'sys/devices/system/cpu/online'), 'utf8'))
    return [...allowed].filter((cpu) => online.has(cpu)).length || undefined
  } catch {
    return undefined
  }
}

/** `0-3,8` is 0, 1, 2, 3 and 8. */
function parseCpuList(list = ''): Set<number> {
  const cpus = list
    .trim()
    .split(',')
    .flatMap((range) => {
      const [first, last = first] = range.split('-').map(Number)
      if (first === undefined || last === undefined || !(last - first < 4_096)) return []
      return Array.from({ length: last - first + 1 }, (_, index) => first + index)
    })
  return new Set(cpus)
}
