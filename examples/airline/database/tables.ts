/** A place on the map; from airports.csv. */
export interface Airports {
  readonly code: string
  readonly name: string
  readonly city: string
  readonly state: string
}

/** A flight as it was flown in 2001; from the flight records. */
export interface Flights {
  readonly id: number
  readonly origin: string
  readonly destination: string
  /** Local time, `2001-03-31T18:05`. */
  readonly departs_at: string
  /** Minutes late on arrival; negative when early. */
  readonly delay: number
  /** Miles. */
  readonly distance: number
}

/** What was observed on one day at one of the two cities that keep records; from weather.csv. */
export interface WeatherDays {
  readonly city: string
  /** `2012-03-31`. */
  readonly day: string
  readonly weather: string
  readonly precipitation: number
  readonly temp_max: number
  readonly temp_min: number
  readonly wind: number
}

/** The thirty-year normal of one hour of the year; from seattle-weather-hourly-normals.csv. */
export interface WeatherHours {
  readonly city: string
  /** `03-31T18`. */
  readonly hour: string
  readonly temperature: number
  readonly wind: number
  readonly pressure: number
}

/** What the crew reports while a flight is on its way. */
export interface FlightEvents {
  /** Chosen by the sender. Not unique here: that each is stored once is for the application to see to. */
  readonly id: string
  readonly flight_id: number
  readonly kind: string
  readonly minutes: number
  readonly reported_at: string
}

/** A seat that a customer has booked. */
export interface Bookings {
  readonly id: string
  readonly customer_id: number
  readonly flight_id: number
  readonly booked_at: string
}

/** The hourly report to the management. */
export interface Reports {
  readonly id: string
  readonly written_at: string
  readonly flights: number
  readonly late_flights: number
}

export interface Tables {
  readonly airports: Airports
  readonly flights: Flights
  readonly weather_days: WeatherDays
  readonly weather_hours: WeatherHours
  readonly flight_events: FlightEvents
  readonly bookings: Bookings
  readonly reports: Reports
}
