import { Customer } from './customer.ts'

/** What the airline has promised to the visitors of one rung, to be held against its databases afterwards. */
export class Ledger {
  readonly customers: readonly Customer[]
  /** Flight events that it accepted. */
  readonly acceptedEvents = new Set<string>()
  /** Flight events that were sent, and no answer came. */
  readonly unsureEvents = new Set<string>()
  /** Bookings that it confirmed: who made them, by their id. */
  readonly confirmedBookings = new Map<string, number>()

  constructor(customers: number) {
    this.customers = Array.from({ length: customers }, (_, index) => new Customer(index + 1))
  }
}
