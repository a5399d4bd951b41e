import { defineConfig } from 'vitest/config'

/** One run for all packages: servers start at most once, when the first test asks for them. */
export default defineConfig({
  ssr: { resolve: { conditions: ['@stepladder/source'] } },
  test: {
    globalSetup: ['./packages/core/testing/global-setup.ts'],
    projects: ['core', 'cache', 'queue', 'session', 'shard', 'airline', 'repository'].map((name) => ({
      extends: true,
      test: { name, include: [`${folderOf(name)}/**/*.test.ts`] },
    })),
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
