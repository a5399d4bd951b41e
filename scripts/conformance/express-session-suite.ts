import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mustRun, run } from '../program.ts'
import type { StoreName } from './store-names.ts'

export interface SuiteResult {
  readonly passed: number
  readonly failures: readonly { readonly title: string; readonly message: string }[]
}

/** What mocha's JSON reporter writes, as far as it is read here. */
interface MochaReport {
  readonly stats: { readonly passes: number }
  readonly failures: readonly { readonly fullTitle: string; readonly err: { readonly message?: string } }[]
}

/** Runs the tests in `folder` on a store kept at `url`, as its own `npm test` does, with one preload more. */
export async function runExpressSessionSuite(
  folder: string,
  store: StoreName,
  url: string,
): Promise<SuiteResult> {
  if (!(await exists(join(folder, 'test/fixtures/server.crt')))) {
    await mustRun('sh', ['./test/support/gencert.sh'], { cwd: folder })
  }
  const preloads = [
    'test/support/env',
    ...(store === 'MemoryStore' ? [] : [join(import.meta.dirname, 'mount.ts')]),
  ]
  const args = [
    ...['--conditions=@stepladder/source', join(folder, 'node_modules/mocha/bin/mocha.js')],
    ...preloads.flatMap((preload) => ['--require', preload]),
    ...['--check-leaks', '--no-exit', '--reporter', 'json', 'test/'],
  ]
  const env = { ...process.env, CONFORMANCE_STORE: store, CONFORMANCE_URL: url, CONFORMANCE_SUITE: folder }
  const { stdout, output } = await run(process.execPath, args, { cwd: folder, env, timeoutMs: 300_000 })

  const begin = stdout.indexOf('{\n  "stats"')
  if (begin === -1) throw new Error(`The suite did not run:\n${output}`)
  // Only mocha prints here what begins like this.
  const { stats, failures } = JSON.parse(stdout.slice(begin)) as MochaReport
  return {
    passed: stats.passes,
    failures: failures.map(({ fullTitle, err }) => ({ title: fullTitle, message: err.message ?? '' })),
  }
}

async function exists(file: string): Promise<boolean> {
  return readFile(file).then(
    () => true,
    () => false,
  )
}
