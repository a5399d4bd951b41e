import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname, join, resolve } from 'node:path'
import { UsageError } from './usage-error.ts'

/** What Node runs; without an extension, as in `bin/www`, it is JavaScript too. */
const javaScript: readonly string[] = ['', '.js', '.cjs', '.mjs', '.wasm', '.node']
const typeScript: readonly string[] = ['.ts', '.cts', '.mts']

/**
 * The program that is meant, as Node finds it from `folder` on (default: where this process was started): the
 * extension may be missing, and a folder stands for its index file. Throws `UsageError` where there is none, or
 * none that this Node runs.
 */
export function findProgram(file: string, folder?: string): string {
  const program = locate(file, folder)
  const extension = extname(program)
  if (javaScript.includes(extension) || hasLoader()) return program
  if (!typeScript.includes(extension)) {
    throw new UsageError(
      `"${file}" is no program that Node.js runs: ${extension} is not among ${javaScript.slice(1, 4).join(', ')}`,
    )
  }
  if (!process.features.typescript) {
    throw new UsageError(
      `"${file}" is TypeScript, which Node.js ${process.version} does not run: take 22.18 or a newer one, compile it, ` +
        'or set NODE_OPTIONS=--import=tsx',
    )
  }
  return program
}

function locate(file: string, folder?: string): string {
  try {
    const from = folder ?? process.cwd()
    return createRequire(join(from, 'here')).resolve(resolve(from, file))
  } catch (cause) {
    if (cause instanceof Error && 'syscall' in cause && cause.syscall === 'uv_cwd') {
      throw new UsageError('the folder that this was started in is gone: change to one that is there', {
        cause,
      })
    }
    const isFolder = statSync(resolve(folder ?? '.', file), { throwIfNoEntry: false })?.isDirectory() ?? false
    const problem = isFolder
      ? `"${file}" is a folder without an index.js; which file in it?`
      : `there is no file "${file}"`
    throw new UsageError(problem, { cause })
  }
}

/** Something was loaded that may teach Node other languages. */
function hasLoader(): boolean {
  const flags = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)]
  return flags.some((flag) => /^(--import|--loader|--experimental-loader|--require|-r)\b/.test(flag))
}
