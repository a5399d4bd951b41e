import { isDeepStrictEqual } from 'node:util'

/** About 300 bytes of JSON, as a row with a list in it is. */
export const flight: object = {
  id: 7,
  from: 'SFO',
  to: 'LAS',
  stops: Array.from({ length: 12 }, (_, at) => `stop number ${at}`),
}

export const flightKeys: readonly string[] = Array.from({ length: 1_000 }, (_, index) => `flight:${index}`)

/** A bench over wrong answers is worth nothing. */
export function checkFlight(peer: string, value: unknown): void {
  if (!isDeepStrictEqual(value, flight)) throw new Error(`${peer} answered ${JSON.stringify(value)}`)
}
