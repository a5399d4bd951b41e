import { readFile } from 'node:fs/promises'
import { type Rung, rungs, serverFile } from './rung.ts'

/** What each rung changes in the airline's code, one after the other. */
export async function ladderDiffs(): Promise<string> {
  const parts: string[] = []
  for (const rung of rungs.slice(1)) parts.push(`# ${rung.folder}: ${rung.adds}\n${await rungDiff(rung)}`)
  return parts.join('\n')
}

/** The lines of a rung's server that are not as in the rung below; none where only the command changes. */
export async function rungDiff(rung: Rung): Promise<string> {
  const below = rungs[rung.number - 1]!
  const [before, after] = await Promise.all([below, rung].map((each) => readFile(serverFile(each), 'utf8')))
  return diffLines(before!.split('\n'), after!.split('\n'))
}

/** Removed lines after `-`, added ones after `+`, and `@@` where unchanged lines lie between; no others. */
export function diffLines(before: readonly string[], after: readonly string[]): string {
  const common = commonLengths(before, after)
  const lines: string[] = []
  let [i, j] = [0, 0]
  let hasGap = false
  const put = (line: string) => {
    if (hasGap && lines.length > 0) lines.push('@@')
    hasGap = false
    lines.push(line)
  }
  while (i < before.length || j < after.length) {
    if (i < before.length && before[i] === after[j]) {
      hasGap = true
      i++
      j++
    } else if (j === after.length || (i < before.length && common[i + 1]![j]! >= common[i]![j + 1]!)) {
      put(`-${before[i++]}`)
    } else {
      put(`+${after[j++]}`)
    }
  }
  return lines.map((line) => `${line}\n`).join('')
}

/** How many lines two texts have in common, in order, from line i of one and line j of the other on. */
function commonLengths(before: readonly string[], after: readonly string[]): number[][] {
  const lengths = Array.from({ length: before.length + 1 }, () => new Array<number>(after.length + 1).fill(0))
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      lengths[i]![j] =
        before[i] === after[j]
          ? lengths[i + 1]![j + 1]! + 1
          : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!)
    }
  }
  return lengths
}
