import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { allowedCpus } from '../src/cluster/affinity.ts'
import { cpuQuota } from '../src/cluster/cgroup.ts'
import { countWorkers, shareOut } from '../src/cluster/workers.ts'
import { openCommandLine } from './command-line.ts'
import { fixture } from './running-cluster.ts'

// Each starts several processes, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

/** Runs `look` over a folder that holds these files, and nothing else, as a root of the file system. */
async function inRoot<T>(files: Readonly<Record<string, string>>, look: (root: string) => T): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'stepladder-root-'))
  try {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), `${content}\n`)
    }
    return look(root)
  } finally {
    await rm(root, { recursive: true })
  }
}

function quotaIn(files: Readonly<Record<string, string>>): Promise<number | undefined> {
  return inRoot(files, (root) => cpuQuota(root)?.cpus)
}

const id = '0c1d2e3f'
const v2Mount = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate'
const v1Mount = '34 25 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct'
const cpuset = '35 25 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset'

test('a container of Docker with cgroup v2 sees its own limit', async () => {
  const files = { 'proc/self/cgroup': '0::/', 'proc/self/mountinfo': v2Mount }
  expect(await quotaIn({ ...files, 'sys/fs/cgroup/cpu.max': '150000 100000' })).toBe(1.5)
  expect(await quotaIn({ ...files, 'sys/fs/cgroup/cpu.max': 'max 100000' })).toBeUndefined()
})

test('a container of Docker with cgroup v1 sees its own limit, though it is named by its path outside', async () => {
  const files = {
    'proc/self/cgroup': `12:cpuset:/docker/${id}\n4:cpu,cpuacct:/docker/${id}\n1:name=systemd:/docker/${id}`,
    'proc/self/mountinfo': [
      cpuset.replace(' / ', ` /docker/${id} `),
      v1Mount.replace(' / ', ` /docker/${id} `),
    ].join('\n'),
    'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000',
  }
  const quota = 'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us'
  expect(await quotaIn({ ...files, [quota]: '250000' })).toBe(2.5)
  expect(await quotaIn({ ...files, [quota]: '-1' })).toBeUndefined()
})

test('a pod of Kubernetes has the smallest of the limits above it', async () => {
  const pod = 'kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice'
  const v2 = {
    'proc/self/cgroup': `0::/${pod}/cri-containerd-${id}.scope`,
    'proc/self/mountinfo': v2Mount,
    [`sys/fs/cgroup/${pod}/cri-containerd-${id}.scope/cpu.max`]: 'max 100000',
    [`sys/fs/cgroup/${pod}/cpu.max`]: '200000 100000',
    'sys/fs/cgroup/kubepods.slice/cpu.max': '700000 100000',
  }
  expect(await quotaIn(v2)).toBe(2)
  const v1 = {
    'proc/self/cgroup': `4:cpu,cpuacct:/kubepods/burstable/pod1/${id}`,
    'proc/self/mountinfo': v1Mount,
    [`sys/fs/cgroup/cpu,cpuacct/kubepods/burstable/pod1/${id}/cpu.cfs_quota_us`]: '400000',
    [`sys/fs/cgroup/cpu,cpuacct/kubepods/burstable/pod1/${id}/cpu.cfs_period_us`]: '100000',
    'sys/fs/cgroup/cpu,cpuacct/kubepods/burstable/pod1/cpu.cfs_quota_us': '150000',
    'sys/fs/cgroup/cpu,cpuacct/kubepods/burstable/pod1/cpu.cfs_period_us': '50000',
  }
  expect(await quotaIn(v1)).toBe(3)
})

test('a service of systemd has the limit of its slice', async () => {
  const slice = 'system.slice/system-web.slice'
  expect(
    await quotaIn({
      'proc/self/cgroup': `0::/${slice}/web@a:b.service`,
      'proc/self/mountinfo': v2Mount,
      [`sys/fs/cgroup/${slice}/web@a:b.service/cpu.max`]: '300000 100000',
      [`sys/fs/cgroup/${slice}/cpu.max`]: '50000 100000',
    }),
  ).toBe(0.5)
})

test('the controller cpu is found when it is mounted alone, and beside the v2 tree of a hybrid system', async () => {
  const files = {
    'proc/self/cgroup': '9:name=systemd:/app\n2:cpuacct:/app\n1:cpu:/app\n0::/app',
    'proc/self/mountinfo': [
      '31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755',
      '33 31 0:30 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct',
      '32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu',
      '41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
    ].join('\n'),
    'sys/fs/cgroup/cpu/app/cpu.cfs_quota_us': '120000',
    'sys/fs/cgroup/cpu/app/cpu.cfs_period_us': '60000',
    // Not ours: accounting has no quota.
    'sys/fs/cgroup/cpuacct/app/cpu.cfs_quota_us': '1',
    'sys/fs/cgroup/cpuacct/app/cpu.cfs_period_us': '100000',
  }
  expect(await quotaIn(files)).toBe(2)
})

test('a mount from another cgroup namespace is taken for what stands above us', async () => {
  const files = {
    'proc/self/cgroup': '0::/',
    'proc/self/mountinfo': v2Mount.replace(' / ', ' /../.. '),
    'sys/fs/cgroup/cpu.max': '200000 100000',
  }
  expect(await quotaIn(files)).toBe(2)
  expect(await quotaIn({ ...files, 'proc/self/cgroup': '0::/../neighbour' })).toBe(2)
})

test('a path with a space, and a cgroup that was removed under us, are no trouble', async () => {
  const files = {
    'proc/self/cgroup': '0::/a group/gone (deleted)',
    'proc/self/mountinfo': v2Mount.replace('/sys/fs/cgroup', '/sys/fs/c\\040group'),
    'sys/fs/c group/a group/cpu.max': '200000 100000',
  }
  expect(await quotaIn(files)).toBe(2)
})

test.each([
  ['nothing at all', {}],
  ['no mount', { 'proc/self/cgroup': '0::/' }],
  ['no membership', { 'proc/self/mountinfo': v2Mount, 'sys/fs/cgroup/cpu.max': '100000 100000' }],
  [
    'no file',
    { 'proc/self/cgroup': '0::/', 'proc/self/mountinfo': v2Mount, 'sys/fs/cgroup/cgroup.procs': '1' },
  ],
  [
    'garbage',
    {
      'proc/self/cgroup': '0::/\nwhat\n::::',
      'proc/self/mountinfo': `${v2Mount}\ngarbage - \n - cgroup2\n1 2 3`,
      'sys/fs/cgroup/cpu.max': 'lots of it',
    },
  ],
  [
    'a period of zero',
    { 'proc/self/cgroup': '0::/', 'proc/self/mountinfo': v2Mount, 'sys/fs/cgroup/cpu.max': '100000 0' },
  ],
  [
    'an empty file',
    { 'proc/self/cgroup': '0::/', 'proc/self/mountinfo': v2Mount, 'sys/fs/cgroup/cpu.max': '' },
  ],
])('%s is no quota', async (_, files) => {
  expect(await quotaIn(files)).toBeUndefined()
})

test('CPUs that are allowed and there are counted', async () => {
  const allowed = (list: string, online: string) =>
    inRoot(
      {
        'proc/self/status': `Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t${list}\nMems_allowed:\t1`,
        'sys/devices/system/cpu/online': online,
      },
      allowedCpus,
    )
  expect(await allowed('0-3,8', '0-15')).toBe(5)
  expect(await allowed('0-127', '0-1')).toBe(2)
  expect(await allowed('7', '0-7')).toBe(1)
  expect(await allowed('what', '0-7')).toBeUndefined()
  expect(await inRoot({}, allowedCpus)).toBeUndefined()
})

test.each([
  [0.05, 8, 1],
  [0.5, 8, 1],
  [1, 8, 1],
  [1.4, 8, 1],
  [1.5, 8, 2],
  [2.5, 8, 3],
  [7.9, 8, 8],
  [16, 8, 8],
])('a quota of %f CPUs on %i cores feeds %i workers', (cpus, cores, count) => {
  expect(shareOut({ cpus, file: '/cpu.max' }, cores).count).toBe(count)
})

test('what decided is said where it was the quota', () => {
  expect(shareOut({ cpus: 1.25, file: '/sys/fs/cgroup/cpu.max' }, 8).because).toBe(
    'a quota of 1.25 CPUs (/sys/fs/cgroup/cpu.max) on 8 cores',
  )
  expect(shareOut({ cpus: 8, file: '/sys/fs/cgroup/cpu.max' }, 8).because).toBeUndefined()
})

test('max-1 leaves one core alone, but one worker there is', () => {
  const auto = countWorkers('test', 'auto').count
  expect(auto).toBeLessThanOrEqual(availableParallelism() + 1)
  expect(countWorkers('test', 'max-1').count).toBe(Math.max(1, auto - 1))
})

/** A cgroup of this machine with a quota of one CPU; throws with the reason where none can be made. */
async function cgroupOfOneCpu(): Promise<string> {
  const isV2 = existsSync('/sys/fs/cgroup/cgroup.controllers')
  const parents = isV2 ? ['/sys/fs/cgroup'] : ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup/cpu,cpuacct']
  const parent = parents.find((folder) => existsSync(folder))
  if (parent === undefined) throw new Error('this machine has no cgroups')
  const folder = join(parent, `stepladder-test-${process.pid}`)
  await mkdir(folder)
  try {
    if (isV2) await writeFile(join(folder, 'cpu.max'), '100000 100000')
    else await writeFile(join(folder, 'cpu.cfs_quota_us'), '100000')
    return folder
  } catch (failure) {
    await rmdir(folder)
    throw failure
  }
}

test('a real quota of this machine decides, and the first line says so', async ({ skip }) => {
  const cores = availableParallelism()
  if (cores === 1) skip('this machine has one core: there is nothing to decide')
  await using shell = await openCommandLine()
  const app = fixture('plain-app.cjs')
  const free = await shell.run([app])
  const workersWithout = Number(/starts (\d+) worker/.exec(free.output)?.[1])
  if (workersWithout === 1) skip('there is a quota of one CPU here anyway')

  const folder = await cgroupOfOneCpu().catch((failure: Error) =>
    skip(`no cgroup can be made: ${failure.message}`),
  )
  try {
    const limited = await shell.run(['run', app], {
      program: fixture('in-cgroup.mjs'),
      env: { CGROUP: folder },
    })
    expect(limited.output).toMatch(
      /^stepladder: supervisor \d+ starts 1 worker: a quota of 1 CPU \(.*\) on \d+ cores\n/,
    )
    await limited.stop()
  } finally {
    await vi.waitFor(() => rmdir(folder), { timeout: 5_000 })
  }
})
