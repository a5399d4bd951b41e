import { expect, test } from 'vitest'
import { parseOptions, UsageError } from '../demo/options.ts'

test('by default all rungs are climbed, for six seconds each', () => {
  const options = parseOptions([])
  expect(options.rungs.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5])
  expect(options).toMatchObject({ measuredMs: 6_000, real: false, full: false, action: 'climb' })
})

test('rungs are climbed from below, each once, however they were named', () => {
  expect(parseOptions(['--rungs', '3, 0,3']).rungs.map(({ number }) => number)).toEqual([0, 3])
})

test.each([
  { argv: ['--rung', '3'], says: '--rung' },
  { argv: ['--rungs', '7'], says: 'not "7"' },
  { argv: ['--rungs', ''], says: '--rungs takes numbers' },
  { argv: ['--seconds', 'ten'], says: 'not "ten"' },
  { argv: ['--seconds', '0'], says: '--seconds takes a number from 0.5 to 60' },
  { argv: ['--rate', '0'], says: '--rate takes a number' },
  { argv: ['--json'], says: '--json' },
  { argv: ['climb'], says: 'climb' },
])('$argv is refused, saying why', ({ argv, says }) => {
  expect(() => parseOptions(argv)).toThrow(UsageError)
  expect(() => parseOptions(argv)).toThrow(says)
})
