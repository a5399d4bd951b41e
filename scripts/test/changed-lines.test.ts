import { join } from 'node:path'
import { expect, test } from 'vitest'
import { changedLines } from '../changed-lines.ts'
import { plant } from './planted-files.ts'

const before = 'one\ntwo\nthree\nfour\n'

test.each([
  ['nothing', before, 0],
  ['a line added', 'one\ntwo\nnew\nthree\nfour\n', 1],
  ['a line replaced', 'one\nTWO\nthree\nfour\n', 1],
  ['a line taken away', 'one\ntwo\nfour\n', 1],
  ['a line replaced by three', 'one\n2\n2\n2\nthree\nfour\n', 3],
  ['changes in two places', 'zero\none\ntwo\nthree\nFOUR\n', 2],
])('%s counts as it reads', async (_title, after, lines) => {
  const folder = plant({ before, after })

  expect(await changedLines(join(folder, 'before'), join(folder, 'after'))).toBe(lines)
})
