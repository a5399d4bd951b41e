import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { arch } from 'node:os'
import { join } from 'node:path'
import { cacheFolder, filledOnce } from './cache-folder.ts'
import type { Program } from './program.ts'
import { runProgram } from './run-program.ts'

/**
 * Redis from the distribution's packages, unpacked into the cache folder: no root, nothing installed,
 * no service started. Rejects where there is no `apt-get`, or it reaches no mirror.
 */
export async function fetchRedis(): Promise<Program> {
  // Its libraries are this release's: a home folder shared with another release must not offer them there.
  const folder = join(cacheFolder(), `redis-${await releaseName()}-${arch()}`)
  const root = await filledOnce(folder, unpackInto)
  const libraries = await libraryFolders(root)
  const env = { ...process.env, LD_LIBRARY_PATH: libraries.join(':') }
  return { path: join(root, 'usr/bin/redis-server'), env }
}

async function releaseName(): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8')
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]*)`, 'm').exec(release)?.[1] ?? 'unknown'
  return `${field('ID')}-${field('VERSION_ID')}`
}

async function unpackInto(folder: string): Promise<void> {
  await runProgram('apt-get', ['--version'])
  console.error('stepladder: fetching Redis once, about 6 s ...')
  const work = join(folder, '.apt')
  await mkdir(join(work, 'lists/partial'), { recursive: true })
  await mkdir(join(work, 'cache/archives/partial'), { recursive: true })
  const apt = (...args: string[]) => runProgram('apt-get', [...aptOptions(work), ...args], { cwd: work })

  await apt('update')
  await apt('download', ...missingPackages(await apt('install', '--simulate', 'redis-server')))
  const packages = (await readdir(work)).filter((name) => name.endsWith('.deb'))
  for (const name of packages) await runProgram('dpkg-deb', ['-x', join(work, name), folder])
  await rm(work, { recursive: true })
}

/** Lists and downloads of its own, so that neither root nor the system's lists are needed. */
function aptOptions(work: string): string[] {
  const settings = [
    `Dir::State::lists=${join(work, 'lists')}`,
    `Dir::Cache=${join(work, 'cache')}`,
    'Debug::NoLocking=true',
    'APT::Sandbox::User=root',
    'APT::Install-Recommends=false',
    'Acquire::Languages=none',
    'Acquire::Retries=2',
    'Acquire::http::Timeout=20',
  ]
  return ['-qq', ...settings.flatMap((setting) => ['-o', setting])]
}

/**
 * What this machine lacks, from lines such as `Inst liblzf1 (3.6-3 ...)`. A name with a version in square
 * brackets would be an upgrade of what is here: our Redis runs with the libraries as they are.
 */
function missingPackages(simulation: string): string[] {
  const missing = [...simulation.matchAll(/^Inst (\S+) \(/gm)].map((match) => match[1]!)
  // The binary sits in redis-tools, which may be installed while the link to it is not.
  return [...new Set(['redis-server', 'redis-tools', ...missing])]
}

async function libraryFolders(root: string): Promise<string[]> {
  const folders = [join(root, 'usr/lib'), join(root, 'lib')]
  const found: string[] = []
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => [])
    found.push(...names.filter((name) => name.includes('-linux-')).map((name) => join(folder, name)))
  }
  return found
}
