import type { NextFunction, Request, Response } from 'express'

/** A mistake of the one who asks: answered with its status and message. */
export class Problem extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Three letters or digits, such as `DFW`. */
export function airportCode(value: unknown): string {
  if (typeof value === 'string' && /^[A-Z0-9]{3}$/.test(value)) return value
  throw new Problem(400, 'An airport is named by three letters, such as DFW')
}

/** A day, such as `2001-03-31`. */
export function day(value: unknown): string {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value)) return value
  throw new Problem(400, 'A day is written like 2001-03-31')
}

/** A whole number above zero, as a number or in digits. */
export function identifier(value: unknown): number {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value
  if (typeof number === 'number' && Number.isInteger(number) && number > 0 && number < 1e9) return number
  throw new Problem(400, 'A flight or a customer is named by a whole number')
}

const kinds = ['boarding', 'departed', 'delayed', 'landed']

/** What a crew may report: a new id of their own (a UUID), one of four kinds, and minutes. */
export function reportedEvent(body: unknown): { id: string; kind: string; minutes: number } {
  // Whatever JSON came in; each field is looked at below.
  const { id, kind, minutes = 0 } = (body ?? {}) as Record<string, unknown>
  if (typeof id !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) {
    throw new Problem(400, 'An event needs an id, a UUID')
  }
  if (typeof kind !== 'string' || !kinds.includes(kind)) {
    throw new Problem(400, `The kind of an event is one of ${kinds.join(', ')}`)
  }
  if (typeof minutes !== 'number' || !Number.isInteger(minutes) || Math.abs(minutes) > 10_000) {
    throw new Problem(400, 'The minutes of an event are a whole number')
  }
  return { id, kind, minutes }
}

/** Answers mistakes by their status, and everything else with 500 and a line in the log. */
export function answerProblems(
  error: unknown,
  _request: Request,
  response: Response,
  next: NextFunction,
): void {
  if (response.headersSent) next(error)
  else if (error instanceof Error && 'status' in error && Number(error.status) < 500) {
    response.status(Number(error.status)).json({ error: error.message })
  } else {
    console.error(error)
    response.status(500).json({ error: 'Something went wrong here' })
  }
}
