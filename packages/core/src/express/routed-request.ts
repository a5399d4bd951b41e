import type { IncomingMessage } from 'node:http'

/** The part of an Express request that is read here; Express 4 and 5 alike. */
export interface RoutedRequest extends IncomingMessage {
  readonly path?: string
  readonly baseUrl?: string
  readonly route?: { readonly path?: unknown }
  /** `http` or `https`, as the proxy says where the app trusts it. */
  readonly protocol?: string
}
