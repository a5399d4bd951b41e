/** A visitor with a browser: keeps the cookie it was given, and remembers what it was told. */
export class Customer {
  readonly id: number
  cookie: string | undefined
  /** A visitor does one thing at a time. */
  isBusy = false
  /** Flights that the airline said are in the cart. */
  readonly told = new Set<number>()
  /** Flights that were asked for, and no answer came: they may be in the cart or not. */
  readonly unsure = new Set<number>()

  constructor(id: number) {
    this.id = id
  }

  takeCookie(header: string | string[] | undefined): void {
    const cookie = Array.isArray(header) ? header[0] : header
    if (cookie !== undefined) this.cookie = cookie.split(';')[0]
  }

  /** Whether a cart holds all that this visitor was told, and nothing that it never asked for. */
  recognises(cart: Readonly<Record<string, number>>): boolean {
    const flights = Object.keys(cart).map(Number)
    return (
      [...this.told].every((flight) => cart[flight] === 1) &&
      flights.every((flight) => this.told.has(flight) || this.unsure.has(flight))
    )
  }
}
