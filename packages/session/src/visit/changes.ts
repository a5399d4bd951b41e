/** What a request left to be saved. */
export interface Changes {
  readonly kind: 'create' | 'change' | 'touch'
  /** The app's fields as JSON. */
  readonly data: string
}
