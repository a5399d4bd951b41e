import type { Readable } from 'node:stream'
import type { HangWord } from '../cluster/hang-word.ts'

/** A line is a stack of at most 50 frames; what is longer than this comes from something else. */
const longestLine = 256 * 1024

/** Hears what the watchdog of a worker writes, a line of JSON each time. What is none is passed over. */
export function readLastWords(stream: Readable | undefined, onHang: (word: HangWord) => void): void {
  let rest = ''
  // A worker that is killed may leave its end in any state; how it ended is told by its exit.
  stream?.on('error', () => {})
  stream?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!.slice(0, longestLine)
    for (const line of lines) {
      const word = parse(line)
      if (word) onHang(word)
    }
  })
}

function parse(line: string): HangWord | undefined {
  try {
    // Whoever else of the worker writes to this descriptor, by mistake, writes no such object.
    const word = JSON.parse(line) as Partial<HangWord> | null
    return word && typeof word.busyMs === 'number' && Array.isArray(word.frames)
      ? (word as HangWord)
      : undefined
  } catch {
    return undefined
  }
}
