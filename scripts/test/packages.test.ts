import { describe, expect, test } from 'vitest'
import { strayFiles } from '../packages.ts'

const clean = [
  'LICENSE',
  'README.md',
  'package.json',
  'bin/stepladder.js',
  'bin/worker.cjs',
  'bin/pid-one.sh',
  'dist/cjs/package.json',
  'dist/cjs/src/index.js',
  'dist/cjs/src/index.d.ts',
  'dist/esm/testing/index.js',
]

describe('the files of a package', () => {
  test('builds, manifest, readme and licence are what is published', () => {
    expect(strayFiles('core', clean)).toEqual([])
  })

  test.each([
    'src/index.ts',
    'test/retry.test.ts',
    'bin/worker.ts',
    'dist/cjs/test/retry.test.js',
    'dist/cjs/src/index.js.map',
    'dist/tsconfig.tsbuildinfo',
    '.turbo/turbo-build.log',
  ])('%s must not be published', (file) => {
    expect(strayFiles('core', [...clean, file])).toEqual([`${file} must not be published`])
  })

  test('an output whose source is gone is found', () => {
    expect(strayFiles('core', [...clean, 'dist/cjs/src/gone.js'])).toEqual([
      expect.stringContaining('dist/cjs/src/gone.js has no source any more'),
    ])
  })

  test('a package without its licence is found', () => {
    expect(strayFiles('core', clean.slice(1))).toEqual(['LICENSE is missing'])
  })
})
