import { readFileSync } from 'node:fs'

/** What a process that may do the job wrote, in the order in which it was written. */
export interface JournalEntry {
  readonly pid: number
  readonly what: 'up' | 'begin' | 'beat' | 'told' | 'end'
  readonly token: number
}

/** The entries of the files that processes of a test append to: one line each, `pid what token`. */
export function readJournal(file: string): JournalEntry[] {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [pid, what, token] = line.split(' ')
      // The fixtures write nothing else.
      return { pid: Number(pid), what: what as JournalEntry['what'], token: Number(token) }
    })
}

/** The turns at the job, in order. */
export function turnsOf(journal: readonly JournalEntry[]): JournalEntry[] {
  return journal.filter(({ what }) => what === 'begin')
}

/** What a process did at the job after another had begun: none where never two are at it. */
export function overlapsOf(journal: readonly JournalEntry[]): JournalEntry[] {
  let current: JournalEntry | undefined
  return journal.filter((entry) => {
    if (entry.what === 'up') return false
    if (entry.what === 'begin') {
      current = entry
      return false
    }
    return entry.pid !== current?.pid || entry.token !== current.token
  })
}
