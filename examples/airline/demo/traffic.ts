import { seededRandom } from '@stepladder/core/testing'
import type { Customer } from './customer.ts'
import type { Ledger } from './ledger.ts'
import { pick, type Random, weighted, zipf } from './random.ts'
import { isGood, type Kind, type Visit } from './visit.ts'
import type { World } from './world.ts'

/** How often each thing is asked for, in percent: an airline is looked at far more than it is written to. */
const shares: Readonly<Record<Kind, number>> = {
  board: 45,
  delays: 15,
  weather: 10,
  event: 10,
  'fill cart': 8,
  'see cart': 4,
  book: 3,
  'see bookings': 5,
}

/** The visitors: an endless row of visits that a seed decides, with the airports by Zipf's law. */
export class Traffic {
  readonly #world: World
  readonly #ledger: Ledger
  readonly #random: Random
  readonly #kind = weighted(kinds().map((item) => ({ item, weight: shares[item] })))
  readonly #airport: (random: Random) => string
  readonly #day: (random: Random) => string

  constructor(world: World, ledger: Ledger, seed: number) {
    this.#world = world
    this.#ledger = ledger
    this.#random = seededRandom(seed)
    this.#airport = zipf(world.airports)
    this.#day = zipf(world.days)
  }

  next(): Visit {
    const random = this.#random
    const kind = this.#kind(random)
    switch (kind) {
      case 'board':
        return this.#get(kind, `/airports/${this.#airport(random)}/departures?date=${this.#day(random)}`)
      case 'delays':
        return this.#get(kind, `/airports/${this.#airport(random)}/delays`)
      case 'weather':
        return this.#get(kind, `/flights/${pick(this.#world.flightsWithWeather, random)}/weather`)
      case 'see bookings':
        return this.#get(kind, `/customers/${this.#customer().id}/bookings`)
      case 'see cart':
        return { ...this.#get(kind, '/cart'), ...this.#inSession(this.#customer()) }
      case 'event':
        return this.#reportEvent()
      case 'fill cart':
        return this.#fillCart()
      case 'book':
        return this.#book()
    }
  }

  #get(kind: Kind, path: string): Visit {
    return { kind, method: 'GET', path }
  }

  #reportEvent(): Visit {
    const { acceptedEvents, unsureEvents } = this.#ledger
    const event = {
      id: this.#uuid(),
      kind: pick(['boarding', 'departed', 'delayed'], this.#random),
      minutes: 0,
    }
    if (event.kind === 'delayed') event.minutes = 5 + Math.floor(this.#random() * 90)
    return {
      kind: 'event',
      method: 'POST',
      path: `/flights/${this.#flight()}/events`,
      body: JSON.stringify(event),
      settle: (answer) => {
        if (isGood(answer)) acceptedEvents.add(event.id)
        else unsureEvents.add(event.id)
      },
    }
  }

  #fillCart(): Visit {
    const customer = this.#customer()
    // A flight that is in the cart already would tell nothing about whether the cart was kept.
    let flightId = this.#flight()
    while (customer.told.has(flightId) || customer.unsure.has(flightId)) flightId = this.#flight()
    const visit = this.#inSession(customer)
    return {
      kind: 'fill cart',
      method: 'POST',
      path: '/cart',
      body: JSON.stringify({ flightId }),
      customer,
      settle: (answer) => {
        visit.settle()
        if (isGood(answer)) customer.told.add(flightId)
        else customer.unsure.add(flightId)
      },
    }
  }

  #book(): Visit {
    const customer = this.#customer()
    return {
      kind: 'book',
      keepsText: true,
      method: 'POST',
      path: `/customers/${customer.id}/bookings`,
      body: JSON.stringify({ flightId: this.#flight() }),
      settle: (answer) => {
        // The airline's own answer to a booking that it has made: it names the booking.
        if (isGood(answer))
          this.#ledger.confirmedBookings.set((JSON.parse(answer.text) as { id: string }).id, customer.id)
      },
    }
  }

  #inSession(customer: Customer) {
    customer.isBusy = true
    const settle = () => {
      customer.isBusy = false
    }
    return { customer, settle }
  }

  #customer(): Customer {
    let customer = pick(this.#ledger.customers, this.#random)
    // There are more customers than requests under way, so one that waits for nothing is soon found.
    while (customer.isBusy) customer = pick(this.#ledger.customers, this.#random)
    return customer
  }

  #flight(): number {
    for (;;) {
      const flights = this.#world.flightsFrom.get(this.#airport(this.#random))
      if (flights) return pick(flights, this.#random)
    }
  }

  #uuid(): string {
    const hex = (digits: number) =>
      Array.from({ length: digits }, () => Math.floor(this.#random() * 16).toString(16)).join('')
    return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`
  }
}

function kinds(): Kind[] {
  // The keys of a record whose keys are the kinds.
  return Object.keys(shares) as Kind[]
}
