import type { RoutedRequest } from './routed-request.ts'

/** One request that is over. */
export interface FinishedRequest {
  readonly request: RoutedRequest
  /** One that HTTP defines, or undefined for any other: strangers cannot invent values. */
  readonly method: string | undefined
  /** The pattern of the route that answered; undefined where none did. */
  readonly route: string | undefined
  /** Undefined when the client went away before an answer began. */
  readonly status: number | undefined
  readonly seconds: number
}

/** Counts requests somewhere. */
export type RequestRecorder = (finished: FinishedRequest) => void
