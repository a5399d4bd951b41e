import { reasonOf } from '@stepladder/core'
import { expect, test } from 'vitest'

test.each([
  ['what an error says', new Error('it is gone'), 'it is gone'],
  ['what was thrown instead of an error', 'it is gone', 'it is gone'],
  [
    'the code of an error without words',
    Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
    'ECONNREFUSED',
  ],
  ['the kind of one without a code', new TypeError(), 'TypeError'],
  [
    'no password',
    new Error('no answer from redis://user:secret@db:6379/0'),
    'no answer from redis://***@db:6379/0',
  ],
])('a reason is %s', (_what, failure, reason) => {
  expect(reasonOf(failure)).toBe(reason)
})
