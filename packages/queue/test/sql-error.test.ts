import { expect, test } from 'vitest'
import { judgeSqlError } from '../src/sinks/sql-error.ts'

test.each([
  ['23505', 'data', 'a key that is there already'],
  ['23502', 'data', 'a NULL where none may be'],
  ['22P02', 'data', 'text that is no number'],
  ['22021', 'data', 'a character that the encoding lacks'],
  ['42P01', 'schema', 'no such table'],
  ['42703', 'schema', 'no such column'],
  ['40001', 'transient', 'a serialization failure'],
  ['40P01', 'transient', 'a deadlock'],
  ['53300', 'transient', 'too many connections'],
  ['57P01', 'transient', 'the server is shut down'],
  ['08006', 'transient', 'the connection broke'],
  ['25006', 'transient', 'a replica that cannot write'],
  ['ECONNREFUSED', 'transient', 'nobody listens'],
])('SQLSTATE %s is %s: %s', (code, verdict) => {
  expect(judgeSqlError(Object.assign(new Error('no'), { code }))).toBe(verdict)
})

test.each([
  [2067, 'data', 'UNIQUE'],
  [1299, 'data', 'NOT NULL'],
  [3091, 'data', 'a STRICT column of another type'],
  [1, 'schema', 'no such table'],
  [5, 'transient', 'busy'],
  [517, 'transient', 'busy, in a snapshot'],
  [13, 'transient', 'the disk is full'],
  [8, 'transient', 'read only'],
])('result code %i of node:sqlite is %s: %s', (errcode, verdict) => {
  expect(judgeSqlError(Object.assign(new Error('no'), { code: 'ERR_SQLITE_ERROR', errcode }))).toBe(verdict)
})

test.each([
  ['SQLITE_CONSTRAINT_UNIQUE', 'data'],
  ['SQLITE_ERROR', 'schema'],
  ['SQLITE_BUSY', 'transient'],
  ['ERR_INVALID_ARG_TYPE', 'data'],
])('%s is %s', (code, verdict) => {
  expect(judgeSqlError(Object.assign(new Error('no'), { code }))).toBe(verdict)
})

test('what is unknown is transient, since trying again loses nothing', () => {
  expect(judgeSqlError(new Error('what?'))).toBe('transient')
  expect(judgeSqlError('what?')).toBe('transient')
})
