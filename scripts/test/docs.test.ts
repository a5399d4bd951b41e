import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkPages } from '../docs.ts'
import { plant } from './planted-files.ts'

const insideTheRepository = resolve(import.meta.dirname, '../../.cache')

async function check(page: string, others: Record<string, string> = {}) {
  const folder = plant({ 'page.md': page, ...others }, insideTheRepository)
  return (await checkPages(folder, ['page.md'])).problems
}

function fenced(language: string, code: string): string {
  return `# Page\n\n\`\`\`${language}\n${code}\n\`\`\`\n`
}

describe('documentation', () => {
  test('true blocks have no problem', async () => {
    const typescript = fenced(
      'ts',
      "import { parseDuration } from '@stepladder/core'\nparseDuration('page', 'ttl', '1s')",
    )
    const javascript = fenced('js', 'function double(number) { return number * 2 }\ndouble(1)')
    const commonjs = fenced('js', "const { join } = require('node:path')\njoin('a', 'b')")
    const shell = fenced('sh', 'this is not typescript')

    expect(await check([typescript, javascript, commonjs, shell].join('\n'))).toEqual([])
  })

  test('a wrong TypeScript block is found, at its line', async () => {
    const problems = await check(fenced('ts', "const a: number = 1\nconst b: number = 'two'"))

    expect(problems).toEqual([{ file: 'page.md', line: 5, message: expect.stringContaining('TS2322') }])
  })

  test('a name that a package does not have is found', async () => {
    const problems = await check(
      fenced('js', "import { nothingLikeThis } from '@stepladder/core'\nnothingLikeThis()"),
    )

    expect(problems).toEqual([
      { file: 'page.md', line: 4, message: expect.stringContaining('nothingLikeThis') },
    ])
  })

  test('a name that a package does not have is found through require', async () => {
    const problems = await check(
      fenced('js', "const core = require('@stepladder/core')\ncore.nothingLikeThis()"),
    )

    expect(problems).toEqual([
      { file: 'page.md', line: 5, message: expect.stringContaining('nothingLikeThis') },
    ])
  })

  test('a block that asks to run is run', async () => {
    const code =
      "// run\nimport { parseDuration } from '@stepladder/core'\nparseDuration('page', 'ttl', '1s')"
    expect(await check(fenced('ts', code))).toEqual([])

    const problems = await check(fenced('ts', "// run\nthrow new Error('this one fails')"))
    expect(problems).toEqual([
      { file: 'page.md', line: 4, message: expect.stringContaining('this one fails') },
    ])
  })

  test('a block cannot opt out', async () => {
    const problems = await check(fenced('ts no-check', 'const a: number = 1'))

    expect(problems).toEqual([{ file: 'page.md', line: 3, message: expect.stringContaining('opt out') }])
  })

  test('a link to a missing file or heading is found, others are not', async () => {
    const page =
      '[a](other.md) [b](gone.md) [c](other.md#a-part) [d](other.md#no-part) [e](https://example.com)'
    const problems = await check(page, { 'other.md': '# Other\n\n## A part\n' })

    expect(problems.map((problem) => problem.message)).toEqual([
      'links to gone.md, which does not exist',
      'links to other.md#no-part, which has no such heading',
    ])
  })
})
