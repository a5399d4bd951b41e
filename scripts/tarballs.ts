import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { mustRun } from './program.ts'

/** A package as `npm publish` would send it. */
export type Tarball = {
  name: string
  /** `cache` for `@stepladder/cache`. */
  folder: string
  path: string
  bytes: number
  files: string[]
  /** What can be imported: `@stepladder/core`, `@stepladder/core/express`, ... */
  entries: string[]
}

const root = resolve(import.meta.dirname, '..')

/** Packs every package of ours into the folder. They must have been built. */
export async function packPackages(destination: string): Promise<Tarball[]> {
  const folders = readdirSync(join(root, 'packages')).sort()
  const workspaces = folders.flatMap((folder) => ['--workspace', `packages/${folder}`])
  const args = ['pack', '--json', '--loglevel=error', '--pack-destination', destination, ...workspaces]
  type Packed = { name: string; filename: string; size: number; files: { path: string }[] }
  const packed: Packed[] = Object.values(JSON.parse(await mustRun('npm', args, { cwd: root })))
  return packed.map(({ name, filename, size, files }) => {
    const folder = name.replace('@stepladder/', '')
    return {
      name,
      folder,
      path: join(destination, filename),
      bytes: size,
      files: files.map((file) => file.path),
      entries: entriesOf(name, folder),
    }
  })
}

function entriesOf(name: string, folder: string): string[] {
  const text = readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8')
  const { exports }: { exports: Record<string, unknown> } = JSON.parse(text)
  const subpaths = Object.keys(exports).filter((subpath) => subpath !== './package.json')
  return subpaths.map((subpath) => name + subpath.slice(1))
}
