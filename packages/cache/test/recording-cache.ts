import type { Invalidates } from '@stepladder/cache/kysely'

/** Keeps what it was told to invalidate; the answer can be changed. */
export class RecordingCache implements Invalidates {
  readonly name: string
  readonly told: { readonly keys: readonly string[]; readonly tags: readonly string[] }[] = []
  answer: 'done' | 'queued' = 'done'
  cleared = 0

  constructor(name = 'recording') {
    this.name = name
  }

  async invalidate(invalidation: { readonly keys: readonly string[]; readonly tags: readonly string[] }) {
    this.told.push(invalidation)
    return this.answer
  }

  async clear() {
    this.cleared += 1
    return this.answer
  }

  /** The tables of all invalidations so far, in order; those of one joined by a space. */
  get tables(): string[] {
    return this.told.map(({ tags }) => {
      const tables = tags.filter((tag) => !tag.includes('*')).map((tag) => tag.replace(/^table:/, ''))
      return tables.toSorted().join(' ')
    })
  }
}
