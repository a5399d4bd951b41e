import { other } from '../metrics/series-cap.ts'
import type { RoutedRequest } from './routed-request.ts'

/** More routes than this are counted together as `other`. */
const mostRoutes = 200
/** A route that is reached through more mounts than this is mounted on a pattern, such as `/tenants/:id`. */
const mostMounts = 3

/**
 * The few values of the label `route`. Of a mount on a pattern Express keeps only the URL, so a route that
 * turns up under a fourth one is counted as `/*` and its own pattern from then on: strangers cannot invent
 * more values than that, nor use up those of other routes.
 */
export class RouteLabels {
  readonly #labels = new Set<string>()
  readonly #mountsOf = new WeakMap<object, Set<string>>()

  /** The pattern of the route that answered; undefined where none did. */
  of({ route, baseUrl = '' }: RoutedRequest): string | undefined {
    if (route?.path === undefined) return undefined
    const mounts = this.#mountsOf.get(route) ?? new Set()
    this.#mountsOf.set(route, mounts)
    // Express takes `/API` for `/api`.
    const mount = among(mounts, baseUrl.toLowerCase(), mostMounts, '/*')
    return among(this.#labels, `${mount}${String(route.path)}`, mostRoutes, other)
  }
}

/** `value` if it is known or there is room for it, else `rest`. */
function among(known: Set<string>, value: string, most: number, rest: string): string {
  if (!known.has(value) && known.size >= most) return rest
  known.add(value)
  return value
}
