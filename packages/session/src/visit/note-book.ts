import type { SessionMeta } from '../record/session-record.ts'

/** What can be said of a session in its record, beside its times. */
export type Notes = Partial<Omit<SessionMeta, 'created' | 'seen' | 'v'>>

/** What is to be said of a session in its record, until it was. */
export class NoteBook {
  /** Undefined: nothing. */
  notes: Notes | undefined
  /** Whether it is worth a write of its own; else it goes with the next. */
  isDue = false

  add(notes: Notes, isDue: boolean): void {
    this.notes = { ...this.notes, ...notes }
    if (isDue) this.isDue = true
  }

  /** Strikes out what was written; what was added meanwhile stays. */
  strike(said: Notes | undefined): void {
    if (this.notes === said) this.clear()
  }

  clear(): void {
    this.notes = undefined
    this.isDue = false
  }
}
