import { defineConfig } from 'vitest/config'

const inSession = (names: string) => `packages/session/test/${names}.test.ts`

/** What is promised of apps on Express 4 or ioredis 5 too: run a second time, with those in the place of their successors. */
const onOlderMajors = [
  'packages/core/test/redis-failover.test.ts',
  inSession(
    'sessions/{express,held-response,failed-save,set-cookie,streams,csrf,passport,users-express,asvs-*}',
  ),
  inSession('{passport,bad-input,outage}'),
  inSession('sessions/{older-majors,redis-clients,redis-commands,users-redis,near-cluster,near-failover}'),
]

/** One run for all packages: servers start at most once, when the first test asks for them. */
export default defineConfig({
  ssr: { resolve: { conditions: ['@stepladder/source'] } },
  test: {
    globalSetup: ['./packages/core/testing/global-setup.ts'],
    projects: [
      ...['core', 'cache', 'queue', 'session', 'shard', 'airline', 'repository'].map((name) => ({
        extends: true as const,
        test: { name, include: [`${folderOf(name)}/**/*.test.ts`] },
      })),
      {
        extends: true,
        resolve: {
          alias: [
            { find: /^express$/, replacement: 'express-4' },
            { find: /^ioredis$/, replacement: 'ioredis-5' },
          ],
        },
        test: { name: 'older-majors', include: onOlderMajors, env: { OLDER_MAJORS: 'yes' } },
      },
    ],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
})

function folderOf(project: string): string {
  if (project === 'airline') return 'examples/airline/test'
  if (project === 'repository') return 'scripts/test'
  return `packages/${project}/test`
}
