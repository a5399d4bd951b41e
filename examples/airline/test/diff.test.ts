import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { diffLines, ladderDiffs, rungDiff } from '../demo/diff.ts'
import { exampleFolder, rungs } from '../demo/rung.ts'

test('the README shows what each rung really changes', async () => {
  const file = join(exampleFolder, 'README.md')
  const readme = await readFile(file, 'utf8')
  const diffs = await Promise.all(rungs.slice(1).map(rungDiff))
  const block = /^```diff\n[\s\S]*?^```$/gm
  expect(readme.match(block)).toHaveLength(diffs.length)
  const real = readme.replace(block, () => `\`\`\`diff\n${diffs.shift()}\`\`\``)
  // `vitest -u` writes the README anew.
  await expect(real).toMatchFileSnapshot(file)
})

test('each rung changes at most thirty lines', async () => {
  for (const rung of rungs.slice(1)) {
    const changed = (await rungDiff(rung)).split('\n').filter((line) => /^[+-]./.test(line))
    expect.soft(changed.length, rung.folder).toBeLessThanOrEqual(30)
  }
})

test('--diff names every rung', async () => {
  const text = await ladderDiffs()
  for (const { folder } of rungs.slice(1)) expect(text).toContain(`# ${folder}: `)
})

test('a diff applied to one text gives the other', () => {
  const before = ['a', 'b', 'c', 'd', 'e', 'f']
  const after = ['a', 'x', 'c', 'e', 'f', 'y']
  expect(diffLines(before, after)).toBe('-b\n+x\n@@\n-d\n@@\n+y\n')
  expect(diffLines(before, before)).toBe('')
})
