import {
  checkOptionNames,
  InvalidOptionError,
  isStepladderError,
  parseDuration,
  parseSize,
  UnknownOptionError,
} from '@stepladder/core'
import { expect, test } from 'vitest'

test('a misspelt option is refused, and the nearest one named', () => {
  const check = () => checkOptionNames('createCache', { tll: 5 }, ['name', 'ttl'])
  expect(check).toThrow(UnknownOptionError)
  expect(check).toThrow('createCache: there is no option "tll"; did you mean "ttl"?')
  expect(() => checkOptionNames('createCache', { banana: 5 }, ['name', 'ttl'])).toThrow(/"banana"$/)
})

test.each([
  [250, 250],
  ['250ms', 250],
  ['30s', 30_000],
  ['1.5m', 90_000],
  ['2h', 7_200_000],
  ['7d', 604_800_000],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
] as const)('%j is %d ms', (written, ms) => {
  expect(parseDuration('test', 'ttl', written)).toBe(ms)
})

test.each([-1, Number.NaN, '10 minutes', '', 'm', '-5s', null, {}])(
  '%j is no duration, and the error names it',
  (written) => {
    // What a JavaScript caller may pass, whatever the types say.
    const parse = () => parseDuration('createCache', 'ttl', written as never)
    expect(parse).toThrow(InvalidOptionError)
    expect(parse).toThrow('createCache: option "ttl" must be a duration')
  },
)

test('sizes are powers of 1024', () => {
  expect(['64kb', '2mb', '1gb', 10].map((size) => parseSize('test', 'bytes', size as '1kb'))).toEqual([
    65_536, 2_097_152, 1_073_741_824, 10,
  ])
  expect(() => parseSize('createCache', 'maxBytes', 0)).toThrow(
    'createCache: option "maxBytes" must be a size',
  )
})

test('an error is recognised across copies, and points to its page', () => {
  const error = new InvalidOptionError('createCache', 'ttl', -1, 'positive')
  expect(isStepladderError(error)).toBe(true)
  expect(isStepladderError(new Error('INVALID_OPTION'))).toBe(false)
  expect(error).toMatchObject({ name: 'InvalidOptionError', code: 'INVALID_OPTION', option: 'ttl' })
  expect(error.help).toBe('docs/reference/errors.md#invalid_option')
})
