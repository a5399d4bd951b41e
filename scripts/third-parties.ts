import { matchesGlob } from 'node:path'

/**
 * Where each third-party package may be imported, as globs below `packages/`. A package that is not listed
 * may be imported nowhere: the first adapter of a new technology adds its line here.
 */
const places: Record<string, { code: string[]; types?: string[] }> = {
  bullmq: { code: ['queue/src/brokers/*'] },
  'express-session': { code: ['session/src/store/*'] },
  ioredis: { code: ['core/src/adapters/*'] },
  // Kysely is an ESM-only package and our build is CommonJS: the application hands us its instance.
  kysely: {
    code: [],
    types: ['cache/src/kysely/*', 'queue/src/sinks/*', 'session/src/backends/*', 'shard/src/**'],
  },
  opossum: { code: ['core/src/adapters/*'] },
  pg: { code: ['core/testing/*'] },
  // Vitest cannot be required, and testing/ is published as CommonJS: a contract is handed its runner, see
  // docs/decisions/contracts-bring-no-test-runner.md.
  vitest: { code: [], types: ['*/testing/*'] },
}

/** True when `file` (below `packages/`) may import the package. */
export function mayImport(file: string, packageName: string, typeOnly: boolean): boolean {
  const { code, types = [] } = places[packageName] ?? { code: [] }
  const allowed = typeOnly ? [...code, ...types] : code
  return allowed.some((glob) => matchesGlob(file, glob))
}

/** `@scope/name/sub/path` is the package `@scope/name`. */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
