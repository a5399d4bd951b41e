import { run } from './program.ts'

/** How many lines a reader of the diff sees changed: of a line replaced by another, both count as one. */
export async function changedLines(before: string, after: string): Promise<number> {
  const { code, output } = await run('git', [
    'diff',
    '--no-index',
    '--unified=0',
    '--no-color',
    before,
    after,
  ])
  if (code === 0) return 0
  const hunks = [...output.matchAll(/^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/gm)]
  if (hunks.length === 0) throw new Error(`git diff failed: ${output}`)
  const changes = hunks.map(([, removed = '1', added = '1']) => Math.max(Number(removed), Number(added)))
  return changes.reduce((sum, lines) => sum + lines, 0)
}
