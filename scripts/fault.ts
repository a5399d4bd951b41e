/**
 * `npm run fault -- [package ...] [--seeds N] [--only FIGURE] [--json FILE]`: the tests that make faults, with many
 * more seeds than `npm test` has time for: the same harness, the same control arms. After those of core, the cache and
 * the sessions it counts what is lost when something goes wrong, ours and the peers', a round for each seed; what things cost,
 * `npm run bench` tells.
 */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import type { Measurement } from '../bench/figure.ts'
import { Figures } from '../bench/figures.ts'
import { losses as cacheLosses } from '../bench/losses/cache.ts'
import { losses as coreLosses } from '../bench/losses/core.ts'
import { losses as sessionLosses } from '../bench/losses/session.ts'
import { usePublishedForm } from '../bench/peers/published-form.ts'

const faultTests: Record<string, readonly string[]> = {
  core: [
    'drain',
    'reload',
    'supervisor',
    'sockets',
    'hang',
    'shutdown',
    'recycling',
    'fleet-health',
    'pid-one',
    'systemd',
    'captures',
    'network-faults',
    'metrics',
    'worker-vitals',
    'worker-channel',
    'worker-handle',
    'message-hub',
    'leader-seat',
    'on-leader',
    'fleet-leader',
    'lease',
  ],
  cache: [
    ...[
      'race',
      'schedules',
      'interleavings',
      'local-interleavings',
      'failures',
      'outage',
      'processes',
      'gap',
      'workers',
      'outbox-crash',
    ],
    ...['restore', 'tracking', 'cluster'],
  ],
  session: [
    ...['lost-updates', 'resurrection', 'outage'],
    ...['sessions/lost-updates', 'sessions/resurrection', 'sessions/outage'],
    ...['sessions/near-', 'sessions/readonly', 'sessions/breaker'],
    ...['sessions/limit', 'sessions/revoke-races', 'sessions/users-'],
    ...['sessions/rotation-races', 'sessions/migration-races'],
    ...['sessions/interleavings', 'sessions/cookie-headers'],
  ],
  queue: ['crash', 'outage', 'power-cut', 'order'],
}
/** What is counted after a package's tests, by the name that `--only` knows. */
const measurements: Record<string, Readonly<Record<string, Measurement>>> = {
  core: coreLosses,
  cache: cacheLosses,
  session: sessionLosses,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '20' },
    only: { type: 'string', multiple: true },
    json: { type: 'string' },
  },
})
const { only, json } = values
const seeds = Number(values.seeds)
const names = positionals.length > 0 ? positionals : Object.keys(faultTests)
const known = new Map(names.flatMap((name) => Object.entries(measurements[name] ?? {})))
const unknown = [
  ...names.filter((name) => !(name in faultTests)),
  ...(only ?? []).filter((id) => !known.has(id)),
]
if (unknown.length > 0 || !(seeds >= 1)) {
  const packages = Object.keys(faultTests).join('|')
  const ids = Object.values(measurements).flatMap(Object.keys).join('|')
  console.error(`Usage: npm run fault -- [${packages}] [--seeds N] [--only ${ids}] [--json FILE]`)
  process.exit(2)
}

const status = only ? 0 : runTests()
await measure()
process.exit(status)

function runTests(): number {
  const files = names.flatMap((name) => faultTests[name]!.map((test) => `packages/${name}/test/${test}`))
  const { status } = spawnSync('vitest', ['run', '--testTimeout', '3600000', ...files], {
    stdio: 'inherit',
    env: { ...process.env, STEPLADDER_SEEDS: values.seeds },
  })
  return status ?? 1
}

async function measure(): Promise<void> {
  if (names.includes('core')) await usePublishedForm()
  const figures = new Figures(seeds)
  for (const [id, measurement] of known) {
    if (only && !only.includes(id)) continue
    console.log(`${id}: ${seeds} rounds`)
    figures.add(await measurement(seeds))
    // After each: a run that is interrupted keeps what it has.
    if (json) await figures.write(json)
  }
}
