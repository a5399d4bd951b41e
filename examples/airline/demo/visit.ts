import type { Customer } from './customer.ts'

export type Kind =
  | 'board'
  | 'delays'
  | 'weather'
  | 'event'
  | 'fill cart'
  | 'see cart'
  | 'book'
  | 'see bookings'

/** One thing that a visitor asks of the airline. */
export interface Visit {
  readonly kind: Kind
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** JSON. */
  readonly body?: string
  /** Whose session it belongs to. */
  readonly customer?: Customer
  /** Whether the text of the answer is looked at; else it is dropped as it comes. */
  readonly keepsText?: boolean
  /** Hears what came of it. */
  readonly settle?: (answer: Answer) => void
}

/** What came back; a status of 0 says that nothing did. */
export interface Answer {
  readonly status: number
  readonly text: string
}

export function isGood({ status }: Answer): boolean {
  return status >= 200 && status < 300
}
