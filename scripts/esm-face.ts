/**
 * Run in a package's folder after `tsc`: gives the CommonJS build an ESM face, so that `import` and
 * `require` meet one copy of every class. Reads the entries from the package's own `exports`.
 */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'

type Entry = { import: { default: string; types: string }; require: { default: string; types: string } }

const require = createRequire(resolve('package.json'))
const manifest: { exports: Record<string, Entry | string> } = JSON.parse(readFileSync('package.json', 'utf8'))

removeOrphans()
writeFileSync('dist/cjs/package.json', '{ "type": "commonjs" }\n')

for (const entry of Object.values(manifest.exports)) {
  if (typeof entry === 'string') continue
  const names = Object.keys(require(resolve(entry.require.default)))
  const source = pathBetween(entry.import.default, entry.require.default)
  const lines = names.map((name) => `export const ${name} = cjs.${name}`)
  write(entry.import.default, [`import cjs from '${source}'`, ...lines].join('\n'))
  write(entry.import.types, `export * from '${source}'`)
}

/** `tsc` leaves the output of a source that was renamed or deleted, and we would publish it. */
function removeOrphans(): void {
  rmSync('dist/esm', { recursive: true, force: true })
  for (const output of globSync('{src,testing}/**/*.js', { cwd: 'dist/cjs' })) {
    const name = output.slice(0, -'.js'.length)
    if (existsSync(`${name}.ts`)) continue
    for (const ending of ['.js', '.d.ts']) rmSync(join('dist/cjs', name + ending), { force: true })
  }
}

function pathBetween(from: string, to: string): string {
  return relative(dirname(from), to).replaceAll('\\', '/')
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${text}\n`)
}
