import { describe, expect, test } from 'vitest'
import { findErrorPageProblems } from '../error-pages.ts'
import { plant } from './planted-files.ts'

const source = `
export class ShardUnavailableError extends StepladderError {
  readonly code = 'SHARD_UNAVAILABLE'
}
const unrelated = { code: 'NOT_AN_ERROR' }
`

function treeWith(page: string): string {
  return plant({ 'packages/shard/src/errors.ts': source, 'docs/reference/errors.md': page })
}

describe('the page of errors', () => {
  test('a code with its part is fine', () => {
    expect(findErrorPageProblems(treeWith('# Errors\n\n## SHARD_UNAVAILABLE\n'))).toEqual([])
  })

  test('a code without a part is found where it is thrown', () => {
    expect(findErrorPageProblems(treeWith('# Errors\n'))).toEqual([
      {
        file: 'packages/shard/src/errors.ts',
        line: 3,
        message: 'SHARD_UNAVAILABLE has no part in docs/reference/errors.md',
      },
    ])
  })

  test('a part without a code is found', () => {
    const page = '# Errors\n\n## SHARD_UNAVAILABLE\n\n## SHARD_GONE\n'

    expect(findErrorPageProblems(treeWith(page))).toEqual([
      { file: 'docs/reference/errors.md', line: 5, message: 'nothing throws SHARD_GONE any more' },
    ])
  })
})
