import { describe, expect, test } from 'vitest'
import { findArchitectureProblems } from '../architecture.ts'
import { plant } from './planted-files.ts'

const clean = {
  'core/src/index.ts': "export { retry } from './retry.ts'",
  'core/src/retry.ts': "import { setTimeout } from 'node:timers/promises'\nexport const retry = setTimeout",
  'core/src/adapters/opossum.ts': "import Opossum from 'opossum'\nexport const breaker = Opossum",
  'cache/src/index.ts': "export { type Cache, createCache } from './cache.ts'",
  'cache/src/cache.ts':
    "import { retry } from '@stepladder/core'\nexport type Cache = 1\nexport const createCache = retry",
  'cache/testing/index.ts': "import { retry } from '@stepladder/core/testing'\nexport const contract = retry",
  'queue/src/sinks/kysely.ts': "import type { Kysely } from 'kysely'\nexport type Sink = Kysely<unknown>",
}

const violations: [title: string, file: string, text: string, message: string][] = [
  [
    'a module that imports another',
    'cache/src/bad.ts',
    "import { Queue } from '@stepladder/queue'",
    'imports another module',
  ],
  [
    'core that imports a module',
    'core/src/bad.ts',
    "import type { Cache } from '@stepladder/cache'",
    'is core and imports a module',
  ],
  [
    'a package that imports itself by name',
    'cache/src/bad.ts',
    "import '@stepladder/cache'",
    'imports its own package by name',
  ],
  [
    'sources that use a testing entry',
    'cache/src/bad.ts',
    "import '@stepladder/core/testing'",
    'which only tests may use',
  ],
  ['sources that use a fake', 'cache/src/bad.ts', "import '../testing/index.ts'", 'which only tests may use'],
  [
    'a relative path into another package',
    'cache/src/bad.ts',
    "import '../../core/src/retry.ts'",
    'reaches into another package',
  ],
  [
    'a published file that imports a test',
    'cache/testing/bad.ts',
    "import '../test/a.test.ts'",
    'imports a test',
  ],
  [
    'a third party outside its adapters',
    'cache/src/bad.ts',
    "import { Redis } from 'ioredis'",
    'imports "ioredis" outside',
  ],
  [
    'a third party loaded late',
    'cache/src/bad.ts',
    "export const a = () => import('bullmq')",
    'imports "bullmq" outside',
  ],
  ['a third party required', 'cache/src/bad.ts', "export const a = require('pg')", 'imports "pg" outside'],
  [
    'a third party in a type',
    'cache/src/bad.ts',
    "export type A = import('bullmq').Queue",
    'imports "bullmq" outside',
  ],
  [
    'kysely as code, which only types may be',
    'queue/src/sinks/bad.ts',
    "import { sql } from 'kysely'",
    'imports "kysely" outside',
  ],
  ['a package nobody listed', 'core/src/adapters/bad.ts', "import 'left-pad'", 'imports "left-pad" outside'],
  ['an export of everything', 'core/src/bad.ts', "export * from './retry.ts'", 'exports everything'],
  [
    'an export of everything under a name',
    'core/src/bad.ts',
    "export * as all from './retry.ts'",
    'exports everything',
  ],
  [
    'an index file inside a folder',
    'cache/src/stores/index.ts',
    'export const a = 1',
    'is an index file inside a folder',
  ],
]

describe('architecture', () => {
  test('a tree that keeps the rules has no problem', () => {
    expect(findArchitectureProblems(plant(clean))).toEqual([])
  })

  test.each(violations)('%s is found', (_title, file, text, message) => {
    const problems = findArchitectureProblems(plant({ ...clean, [file]: text }))

    expect(problems).toEqual([
      { file: `packages/${file}`, line: 1, message: expect.stringContaining(message) },
    ])
  })

  test('a cycle through a type is found', () => {
    const folder = plant({
      ...clean,
      'shard/src/a.ts': "import type { B } from './b.ts'\nexport type A = B",
      'shard/src/b.ts': "import { C } from './c.ts'\nexport type B = typeof C",
      'shard/src/c.ts': "import type { A } from './a.ts'\nexport const C: A = 1",
    })

    const [problem, ...others] = findArchitectureProblems(folder)
    expect(problem?.message).toContain('shard/src/a.ts -> shard/src/b.ts -> shard/src/c.ts -> shard/src/a.ts')
    expect(others).toEqual([])
  })
})
