/**
 * `npm run fault -- [package ...] [--seeds N]`: the tests that make faults, with many more seeds than
 * `npm test` has time for. The same harness, the same control arms.
 */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

const faultTests: Record<string, readonly string[]> = {
  core: ['drain', 'supervisor', 'metrics'],
  cache: ['race', 'interleavings', 'outage', 'processes', 'gap', 'workers'],
  session: ['lost-updates', 'resurrection', 'outage'],
  queue: ['crash', 'outage', 'power-cut', 'order'],
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string', default: '20' } },
})
const names = positionals.length > 0 ? positionals : Object.keys(faultTests)
const unknown = names.filter((name) => !(name in faultTests))
if (unknown.length > 0 || !(Number(values.seeds) >= 1)) {
  console.error(`Usage: npm run fault -- [${Object.keys(faultTests).join('|')}] [--seeds N]`)
  process.exit(2)
}

const files = names.flatMap((name) => faultTests[name]!.map((test) => `packages/${name}/test/${test}`))
const { status } = spawnSync('vitest', ['run', '--testTimeout', '3600000', ...files], {
  stdio: 'inherit',
  env: { ...process.env, STEPLADDER_SEEDS: values.seeds },
})
process.exit(status ?? 1)
