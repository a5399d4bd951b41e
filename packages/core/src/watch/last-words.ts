import type { Readable } from 'node:stream'
import type { LastWord } from './hang-word.ts'

/** A line is a stack of at most 50 frames; what is longer than this comes from something else. */
const longestLine = 256 * 1024

/** Hears what the watchdog of a worker writes, a line of JSON each time. What is none is passed over. */
export function readLastWords(stream: Readable | undefined, onWord: (word: LastWord) => void): void {
  let rest = ''
  // A worker that is killed may leave its end in any state; how it ended is told by its exit.
  stream?.on('error', () => {})
  stream?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!.slice(0, longestLine)
    for (const line of lines) {
      const word = parse(line)
      if (word) onWord(word)
    }
  })
}

function parse(line: string): LastWord | undefined {
  try {
    const word: unknown = JSON.parse(line)
    return isLastWord(word) ? word : undefined
  } catch {
    return undefined
  }
}

/** Whoever else of the worker writes to this descriptor, by mistake, writes no such object. */
function isLastWord(word: unknown): word is LastWord {
  if (typeof word !== 'object' || word === null) return false
  return 'isUneasy' in word || ('busyMs' in word && 'frames' in word && Array.isArray(word.frames))
}
