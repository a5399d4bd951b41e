import { describe, expect, test } from 'vitest'
import { findLockProblems, findVersionProblems } from '../manifests.ts'
import { plant } from './planted-files.ts'

const clean = {
  'package.json':
    '{ "name": "root", "version": "0.0.0", "devDependencies": { "turbo": "2.11.9", "turbo-1": "npm:turbo@1.13.4" } }',
  'packages/core/package.json':
    '{ "name": "core", "version": "1.0.0", "peerDependencies": { "express": ">=4" } }',
  'packages/cache/package.json':
    '{ "name": "cache", "version": "1.0.0", "dependencies": { "core": "1.0.0" } }',
}

describe('manifests', () => {
  test('exact versions and ranges of peers are fine', () => {
    expect(findVersionProblems(plant(clean))).toEqual([])
  })

  test.each(['^2.11.9', '~2.11.9', '2.x', 'latest', '*', '>=2', 'npm:turbo@^2.11.9'])(
    'a dependency on "%s" is found',
    (version) => {
      const folder = plant({
        ...clean,
        'package.json': `{\n"name": "root",\n"devDependencies": {\n"turbo": "${version}" } }`,
      })

      expect(findVersionProblems(folder)).toEqual([
        { file: 'package.json', line: 4, message: `"turbo": "${version}" is not an exact version` },
      ])
    },
  )

  test('a version of our own that the tree does not have is found', () => {
    const folder = plant({
      ...clean,
      'packages/core/package.json': '{ "name": "core", "version": "1.1.0" }',
    })

    expect(findVersionProblems(folder)[0]?.message).toBe('asks for core 1.0.0, but the tree has 1.1.0')
  })

  test('an address in the lock file is found, a link to a workspace is not', () => {
    const folder = plant({
      'package-lock.json': '{\n"resolved": "packages/core",\n"resolved": "https://registry.example/a.tgz"\n}',
    })

    expect(findLockProblems(folder)).toEqual([
      { file: 'package-lock.json', line: 3, message: expect.stringContaining('names a registry') },
    ])
  })
})
