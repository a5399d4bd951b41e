/**
 * Every version that our manifests choose is exact, the lock file names no registry, and `npm ci` accepts
 * the two together. A range is right only in `peerDependencies`, where the application chooses.
 */
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Problem, reportProblems } from './problem.ts'

const chosenBy = ['dependencies', 'devDependencies', 'optionalDependencies', 'overrides']
/** A package under another name, `npm:connect-redis@8.1.0`, is exact as well: a second version of it, to compare with. */
const exact = /^(npm:[\w@/.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '..')
  reportProblems([...findVersionProblems(root), ...findLockProblems(root), ...findInstallProblems(root)])
}

/** Versions that are not exact, and versions of our own packages that are not the ones in the tree. */
export function findVersionProblems(root: string): Problem[] {
  const paths = ['package.json', ...globSync('{packages,examples}/*/package.json', { cwd: root })]
  const manifests = paths.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
  const own = new Map(
    manifests.map(({ text }) => {
      const { name, version }: { name: string; version: string } = JSON.parse(text)
      return [name, version]
    }),
  )
  return manifests.flatMap(({ path, text }) => {
    const manifest: Record<string, Record<string, string>> = JSON.parse(text)
    const versions = chosenBy.flatMap((field) => Object.entries(manifest[field] ?? {}))
    return versions.flatMap(([name, version]): Problem[] => {
      const problem = (message: string) => [{ file: path, line: lineOf(text, `"${name}": "`), message }]
      const ours = own.get(name)
      if (ours && version !== ours) return problem(`asks for ${name} ${version}, but the tree has ${ours}`)
      return exact.test(version) ? [] : problem(`"${name}": "${version}" is not an exact version`)
    })
  })
}

/** Addresses in the lock file: they would tie every clone to the registry that one of us happened to use. */
export function findLockProblems(root: string): Problem[] {
  const lines = readFileSync(join(root, 'package-lock.json'), 'utf8').split('\n')
  return lines.flatMap((text, index) =>
    /"resolved": "\w+:\/\//.test(text)
      ? [{ file: 'package-lock.json', line: index + 1, message: 'names a registry: see .npmrc' }]
      : [],
  )
}

function findInstallProblems(root: string): Problem[] {
  const { status, stderr } = spawnSync('npm', ['ci', '--dry-run', '--loglevel=error'], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  return status === 0 ? [] : [{ file: 'package-lock.json', line: 1, message: `npm ci refuses it: ${stderr}` }]
}

function lineOf(text: string, part: string): number {
  return text.slice(0, text.indexOf(part)).split('\n').length
}
