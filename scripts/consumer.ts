import { cpSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Adoption, answersFromTwoProcesses } from './adoptions.ts'
import { install } from './installation.ts'
import { RunningApp } from './running-app.ts'
import type { Tarball } from './tarballs.ts'
import { tempFolder } from './temp-folder.ts'

/** An application as users have it; its files are in `consumers/<name>`. */
export type Consumer = { name: string; ending: 'cjs' | 'mjs'; express: string }

export const consumers: readonly [Consumer, Consumer] = [
  { name: 'cjs-express4', ending: 'cjs', express: '4.22.1' },
  { name: 'esm-express5', ending: 'mjs', express: versionOf('express') },
]

/** The app with what it always had, plus the packages of one module and nothing else of ours. */
export async function installConsumer(
  folder: string,
  tarballs: readonly Tarball[],
  { name, express }: Consumer,
  { packages }: Adoption,
): Promise<void> {
  const ours = tarballs.filter((tarball) => packages.includes(tarball.folder)).map((tarball) => tarball.path)
  const had = ['express-session', 'kysely', 'prom-client'].map((theirs) => `${theirs}@${versionOf(theirs)}`)
  await install(folder, [`express@${express}`, ...had, ...ours])
  cpSync(join(import.meta.dirname, 'consumers', name), folder, { recursive: true })
}

/** Runs one file of the app, with fresh databases, and looks for the adoption's effect. */
export async function hasEffect(
  folder: string,
  file: string,
  { ending }: Consumer,
  adoption: Adoption,
  node: string,
): Promise<boolean> {
  using data = tempFolder()
  const apps: RunningApp[] = []
  const start = async () => {
    const app = await RunningApp.start(data.path, node, [join(folder, `${file}.${ending}`)])
    apps.push(app)
    return app
  }
  try {
    return await adoption.hasEffect(start, data.path)
  } finally {
    await Promise.all(apps.map((app) => app.stop()))
  }
}

/** The app as it was, under `stepladder run`, answers from two processes; under plain `node` it must not. */
export async function runsOnTwoCores(folder: string, { ending }: Consumer, node: string): Promise<boolean> {
  const app = join(folder, `app.${ending}`)
  const stepladder = join(folder, 'node_modules/@stepladder/core/bin/stepladder.js')
  if (await answersFromTwo(node, [app], 500)) throw new Error('the app uses two processes by itself')
  return answersFromTwo(node, [stepladder, 'run', '--workers', '2', app], 15_000)
}

async function answersFromTwo(node: string, args: readonly string[], withinMs: number): Promise<boolean> {
  using data = tempFolder()
  const app = await RunningApp.start(data.path, node, args)
  try {
    return await answersFromTwoProcesses(app, withinMs)
  } finally {
    await app.stop()
  }
}

function versionOf(name: string): string {
  const text = readFileSync(resolve(import.meta.dirname, '../package.json'), 'utf8')
  const { devDependencies }: { devDependencies: Record<string, string> } = JSON.parse(text)
  const version = devDependencies[name]
  if (!version) throw new Error(`the root manifest has no ${name}`)
  return version
}
