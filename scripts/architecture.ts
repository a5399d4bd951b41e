/**
 * Imports point one way: application, module, core. Run by `npm run check`; prints `file:line rule` for
 * every import in `packages/<name>/{src,testing}` that goes another way.
 */
import { globSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, dirname, join, normalize, resolve, sep } from 'node:path'
import { findCycles } from './cycles.ts'
import { type Problem, reportProblems } from './problem.ts'
import { type Import, SourceFile } from './source-file.ts'
import { mayImport, packageOf } from './third-parties.ts'

if (import.meta.main) reportProblems(findArchitectureProblems(resolve(import.meta.dirname, '../packages')))

/** Every broken rule in the packages below `folder`, in the order of their files. */
export function findArchitectureProblems(folder: string): Problem[] {
  const paths = globSync('*/{src,testing}/**/*.ts', { cwd: folder }).sort()
  const files = new Map(paths.map((path) => [path.replaceAll(sep, '/'), new SourceFile(join(folder, path))]))
  return [
    ...[...files].flatMap(([path, file]) => file.imports.flatMap((edge) => problemOf(path, edge) ?? [])),
    ...[...files.keys()].flatMap(misplacedIndex),
    ...cyclesAmong(files),
  ]
}

function problemOf(path: string, edge: Import): Problem | undefined {
  const problem = (rule: string): Problem => ({ file: `packages/${path}`, line: edge.line, message: rule })
  if (edge.star) return problem(`exports everything of "${edge.specifier}": list the names one by one`)
  if (edge.specifier.startsWith('.')) {
    const rule = relativeRule(path, edge.specifier)
    return rule ? problem(rule) : undefined
  }
  if (isBuiltin(edge.specifier)) return undefined

  const owner = packageOf(edge.specifier)
  if (owner.startsWith('@stepladder/')) {
    const rule = siblingRule(path, edge.specifier)
    return rule ? problem(rule) : undefined
  }
  if (mayImport(path, owner, edge.typeOnly)) return undefined
  return problem(`imports "${owner}" outside its adapter files (see scripts/third-parties.ts)`)
}

function relativeRule(path: string, specifier: string): string | undefined {
  const target = join(dirname(path), specifier).replaceAll(sep, '/')
  if (topOf(target) !== topOf(path)) return `reaches into another package by a relative path: "${specifier}"`
  if (folderOf(target) === 'test') return `imports a test: "${specifier}"`
  if (folderOf(path) === 'src' && folderOf(target) === 'testing')
    return `imports from testing/, which only tests may use: "${specifier}"`
  return undefined
}

function siblingRule(path: string, specifier: string): string | undefined {
  const own = topOf(path)
  const [, sibling = '', entry] = specifier.split('/')
  if (sibling === own) {
    // A contract may stand outside, as its users do; in src a cycle would hide behind the name.
    return folderOf(path) === 'testing' ? undefined : `imports its own package by name: "${specifier}"`
  }
  if (own === 'core') return `is core and imports a module: "${specifier}"`
  if (sibling !== 'core') return `imports another module: "${specifier}"; the application joins modules`
  if (entry === 'testing' && folderOf(path) === 'src')
    return `imports "${specifier}", which only tests may use`
  return undefined
}

function misplacedIndex(path: string): Problem[] {
  const isEntry = path === `${topOf(path)}/src/index.ts` || path === `${topOf(path)}/testing/index.ts`
  if (basename(path) !== 'index.ts' || isEntry) return []
  return [
    {
      file: `packages/${path}`,
      line: 1,
      message: 'is an index file inside a folder: import the file that holds the thing',
    },
  ]
}

function cyclesAmong(files: Map<string, SourceFile>): Problem[] {
  const edges = new Map<string, string[]>()
  for (const [path, file] of files) {
    const local = file.imports.filter((edge) => edge.specifier.startsWith('.'))
    edges.set(
      path,
      local.map((edge) => normalize(join(dirname(path), edge.specifier)).replaceAll(sep, '/')),
    )
  }
  return findCycles(edges).map((cycle) => ({
    file: `packages/${cycle[0]}`,
    line: 1,
    message: `imports itself in a circle: ${[...cycle, cycle[0]].join(' -> ')}`,
  }))
}

function topOf(path: string): string {
  return path.split('/')[0]!
}

function folderOf(path: string): string | undefined {
  return path.split('/')[1]
}
