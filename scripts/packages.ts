/**
 * The packages as users will get them: packed, looked at by publint and attw, installed in an empty folder,
 * required and imported. Prints the size of each.
 */
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { checkFaces, install } from './installation.ts'
import { lintManifest, lintTypes } from './package-lint.ts'
import { packPackages, type Tarball } from './tarballs.ts'
import { tempFolder } from './temp-folder.ts'

const root = resolve(import.meta.dirname, '..')
const published =
  /^(dist\/(cjs|esm)\/(src|testing)\/.*\.(js|d\.ts)|dist\/cjs\/package\.json|bin\/[\w-]+\.(js|cjs|sh))$/
const always = ['LICENSE', 'README.md', 'package.json']

if (import.meta.main) {
  using folder = tempFolder()
  const tarballs = await packPackages(folder.path)
  const looked = await Promise.all(tarballs.map(lookAt))
  const installed = await installAll(join(folder.path, 'app'), tarballs)
  const problems = [...looked.flat(), ...installed]
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 1
  console.log(tarballs.map(({ folder, bytes }) => `${folder} ${Math.ceil(bytes / 1000)} kB`).join(', '))
}

async function lookAt(tarball: Tarball): Promise<string[]> {
  const problems = [
    ...strayFiles(tarball.folder, tarball.files),
    ...(await lintManifest(tarball.path)),
    ...(await lintTypes(tarball.path)),
  ]
  return problems.map((problem) => `${tarball.name}: ${problem}`)
}

/** Files that have no business in a package, files that are missing, and outputs whose source is gone. */
export function strayFiles(folder: string, files: readonly string[]): string[] {
  const sources = new Set(globSync('{src,testing}/**/*.ts', { cwd: join(root, 'packages', folder) }))
  const stray = files.filter((file) => !published.test(file) && !always.includes(file))
  const missing = always.filter((file) => !files.includes(file))
  const stale = files.filter((file) => {
    const source = /^dist\/cjs\/((?:src|testing)\/.+)\.js$/.exec(file)?.[1]
    return source !== undefined && !sources.has(`${source}.ts`)
  })
  return [
    ...stray.map((file) => `${file} must not be published`),
    ...missing.map((file) => `${file} is missing`),
    ...stale.map((file) => `${file} has no source any more: delete packages/${folder}/dist and build again`),
  ]
}

async function installAll(folder: string, tarballs: readonly Tarball[]): Promise<string[]> {
  try {
    await install(
      folder,
      tarballs.map((tarball) => tarball.path),
    )
    await checkFaces(
      folder,
      tarballs.flatMap((tarball) => tarball.entries),
      process.execPath,
    )
    return leakedPaths(folder)
  } catch (cause) {
    return [cause instanceof Error ? cause.message : String(cause)]
  }
}

/** Files of the installed packages that tell where they were built. */
function leakedPaths(folder: string): string[] {
  const files = globSync('node_modules/@stepladder/**/*.{js,json,md,d.ts}', { cwd: folder })
  const leaks = files.filter((file) => readFileSync(join(folder, file), 'utf8').includes(root))
  return leaks.map((file) => `${file} names a folder of the machine that built it`)
}
