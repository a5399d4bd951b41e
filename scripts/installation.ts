import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mustRun } from './program.ts'

/**
 * A new application: installs tarballs and `name@version`s into an empty folder, from npm's cache where
 * it can. Install scripts do not run, as under npm 12.
 */
export async function install(folder: string, packages: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "name": "consumer", "private": true }\n')
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
  await mustRun('npm', ['install', ...quiet, ...packages], { cwd: folder })
}

/** Throws unless `require` and `import` of every entry give one and the same thing, on the given Node. */
export async function checkFaces(folder: string, entries: readonly string[], node: string): Promise<void> {
  cpSync(join(import.meta.dirname, 'consumers/same-faces.mjs'), join(folder, 'same-faces.mjs'))
  await mustRun(node, ['same-faces.mjs', ...entries], { cwd: folder, timeoutMs: 30_000 })
}
