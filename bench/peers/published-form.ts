import { mustRun } from '../../scripts/program.ts'

/**
 * Builds a package and core, and lets what this process starts from now on load what users get instead of the sources,
 * whose types would have to be stripped at each start.
 */
export async function usePublishedForm(name = 'core'): Promise<void> {
  await mustRun('turbo', ['run', 'build', `--filter=@stepladder/${name}...`, '--output-logs=errors-only'])
  // `spawnNode` hands our conditions on.
  process.execArgv = process.execArgv.filter((flag) => !flag.includes('@stepladder/source'))
}
