import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** How much CPU time the cgroups of a process let it use: the limit that Docker, Kubernetes or systemd set. */
export interface CpuQuota {
  /** In CPUs, with fractions: 1.5. */
  readonly cpus: number
  /** The file that says so. */
  readonly file: string
}

/** A mounted hierarchy of cgroups, and which of them this process is in. */
interface Hierarchy {
  readonly mountPoint: string
  /** The folder of this process's cgroup, at the mount point or below it. */
  readonly folder: string
  readonly quotaOf: (folder: string) => CpuQuota | undefined
}

/**
 * The smallest CPU quota among the cgroups of this process and their parents, v1 and v2, as far as they can be
 * seen: a container does not see the limits above it. Undefined where none is set, or where there are no cgroups.
 * `root` is the root of the file system, for tests.
 */
export function cpuQuota(root = '/'): CpuQuota | undefined {
  const quotas = hierarchies(root).flatMap(({ folder, mountPoint, quotaOf }) =>
    upTo(mountPoint, folder).flatMap((each) => quotaOf(each) ?? []),
  )
  return quotas.toSorted((a, b) => a.cpus - b.cpus)[0]
}

/** All that may limit us: the one of v2, and of v1 the one with the cpu controller; a hybrid system has both. */
function hierarchies(root: string): Hierarchy[] {
  const memberships = linesOf(join(root, 'proc/self/cgroup')).map(parseMembership)
  return linesOf(join(root, 'proc/self/mountinfo'))
    .map(parseMount)
    .flatMap(({ type, options, from, at }) => {
      const isCpuV1 = type === 'cgroup' && options.includes('cpu')
      if (!isCpuV1 && type !== 'cgroup2') return []
      const controller = isCpuV1 ? 'cpu' : ''
      const membership = memberships.find(({ controllers }) => controllers.includes(controller))
      if (!membership) return []
      const mountPoint = join(root, at)
      const folder = resolve(mountPoint, `.${below(from, membership.path)}`)
      return [{ mountPoint, folder, quotaOf: isCpuV1 ? quotaV1 : quotaV2 }]
    })
}

/** A line of `/proc/self/cgroup`: `4:cpu,cpuacct:/docker/0c1d`, or `0::/system.slice` for v2. */
function parseMembership(line: string): { readonly controllers: readonly string[]; readonly path: string } {
  const [, controllers = '?', ...path] = line.split(':')
  return { controllers: controllers.split(','), path: path.join(':') }
}

/** A line of `/proc/self/mountinfo`: `36 35 0:31 /docker/0c1d /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu`. */
function parseMount(line: string) {
  const [where = '', what = ''] = line.split(' - ')
  const [, , , from = '', at = ''] = where.split(' ').map(unescapeOctal)
  const [type = '', , options = ''] = what.split(' ')
  return { type, options: options.split(','), from, at }
}

/** A space in a path is `\040` there. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)))
}

/**
 * Where `path` is found below a mount that shows the hierarchy from `from` on. What the mount does not show (it
 * was made in another namespace: `/../..`) leaves the mount point, which is our cgroup or stands above it.
 */
function below(from: string, path: string): string {
  if (path.split('/').includes('..')) return '/'
  if (from === '/') return path
  return path === from || path.startsWith(`${from}/`) ? path.slice(from.length) : '/'
}

function upTo(top: string, folder: string): string[] {
  const parent = dirname(folder)
  return folder.length <= top.length || parent === folder ? [top] : [folder, ...upTo(top, parent)]
}

function quotaV1(folder: string): CpuQuota | undefined {
  const file = join(folder, 'cpu.cfs_quota_us')
  return quota(file, linesOf(file)[0], linesOf(join(folder, 'cpu.cfs_period_us'))[0])
}

function quotaV2(folder: string): CpuQuota | undefined {
  const file = join(folder, 'cpu.max')
  const [max, period] = linesOf(file)[0]?.split(' ') ?? []
  return quota(file, max, period)
}

/** `-1` and `max` mean that there is none. */
function quota(file: string, allowed: string | undefined, period: string | undefined): CpuQuota | undefined {
  const cpus = Number(allowed) / Number(period)
  return Number.isFinite(cpus) && cpus > 0 ? { cpus, file } : undefined
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean)
  } catch {
    // Another system than Linux, or a file that this kernel does not have.
    return []
  }
}
