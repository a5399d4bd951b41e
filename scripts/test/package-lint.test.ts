import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkFaces } from '../installation.ts'
import { lintManifest, lintTypes } from '../package-lint.ts'
import { mustRun } from '../program.ts'
import { plant } from './planted-files.ts'

/** Our form: a CommonJS build, and a face that hands its names to `import`. */
const sound = {
  'package.json': manifest({
    import: { types: './esm/index.d.ts', default: './esm/index.js' },
    require: { types: './cjs/index.d.ts', default: './cjs/index.js' },
  }),
  'cjs/package.json': '{ "type": "commonjs" }',
  'cjs/index.js': 'exports.A = class A {}',
  'cjs/index.d.ts': 'export declare class A {}',
  'esm/index.js': "import cjs from '../cjs/index.js'\nexport const A = cjs.A",
  'esm/index.d.ts': "export * from '../cjs/index.js'",
}

/** Two builds, as many packages have them, with ESM types for both. */
const twoBuilds = {
  ...sound,
  'package.json': manifest({
    import: { types: './esm/index.d.ts', default: './esm/index.js' },
    require: { types: './esm/index.d.ts', default: './cjs/index.js' },
  }),
  'esm/index.js': 'export class A {}',
}

describe('the packaging check', () => {
  test('has nothing against our form', async () => {
    const tarball = await pack(sound)

    expect(await lintManifest(tarball)).toEqual([])
    expect(await lintTypes(tarball)).toEqual([])
    await checkFaces(planted(sound), ['planted'], process.execPath)
  })

  test('finds an entry that is missing', async () => {
    const { 'cjs/index.js': _, ...files } = sound

    expect(await lintManifest(await pack(files))).toContainEqual(expect.stringContaining('does not exist'))
  })

  test('finds types that say ESM of a CommonJS build', async () => {
    expect(await lintTypes(await pack(twoBuilds))).toContainEqual(
      expect.stringContaining('Masquerading as ESM'),
    )
  })

  test('finds a package without types', async () => {
    const bare = { ...sound, 'package.json': manifest({ default: './cjs/index.js' }) }
    const { 'cjs/index.d.ts': _, 'esm/index.d.ts': __, ...files } = bare

    expect(await lintTypes(await pack(files))).not.toEqual([])
  })

  test('finds a class that exists twice', async () => {
    await expect(checkFaces(planted(twoBuilds), ['planted'], process.execPath)).rejects.toThrow(
      'A differs between require and import',
    )
  })
})

function manifest(entry: unknown): string {
  return JSON.stringify({
    ...{ name: 'planted', version: '1.0.0', license: 'MIT', type: 'module', engines: { node: '>=22' } },
    ...{ main: './cjs/index.js', types: './cjs/index.d.ts', exports: { '.': entry } },
  })
}

async function pack(files: Record<string, string>): Promise<string> {
  const folder = plant(files)
  await mustRun('npm', ['pack', '--loglevel=error'], { cwd: folder })
  return join(folder, readdirSync(folder).find((file) => file.endsWith('.tgz'))!)
}

/** A folder in which the package is installed. */
function planted(files: Record<string, string>): string {
  const installed = Object.entries(files).map(([path, text]) => [`node_modules/planted/${path}`, text])
  return plant(Object.fromEntries(installed))
}
