import type { ClaimedWithEpochs, ClaimWithTags, StoreCalls } from './store-calls.ts'

/** A claim that the store is asked, and where its answer will stand. Of a class for the reason that `ReadValue` gives. */
export class Question implements ClaimWithTags {
  readonly key: string
  readonly token: string
  readonly isForced: boolean
  readonly tags: readonly string[]
  readonly epochsMs: number
  /** Of the batch that it is asked in. */
  readonly answers: Promise<readonly ClaimedWithEpochs[]>
  readonly place: number

  constructor({ key, token, isForced, tags, epochsMs }: ClaimWithTags, calls: StoreCalls) {
    this.key = key
    this.token = token
    this.isForced = isForced === true
    this.tags = tags
    this.epochsMs = epochsMs
    const batch = calls.claim(this)
    this.answers = batch.answers
    this.place = batch.asked.length - 1
  }
}
