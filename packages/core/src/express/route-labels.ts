import { followMounts, unknownMount } from './mounts.ts'
import type { RoutedRequest } from './routed-request.ts'

/** More routes than this are counted together as `other`. */
const mostRoutes = 200
/** A route that is reached through more mounts than this has one whose pattern cannot be told, as a RegExp. */
const mostMounts = 10

/** The few values of the label `route`. Strangers cannot invent any, nor use up those of other routes. */
export class RouteLabels {
  readonly #labels = new Set<string>()
  readonly #mountsOf = new WeakMap<object, Set<string>>()

  /** Call what it returns when the request is answered: the pattern of its route, or `unmatched`. */
  follow(request: RoutedRequest): () => string {
    const mount = followMounts(request)
    return () => {
      const { route } = request
      if (route?.path === undefined) return 'unmatched'
      const known = this.#mountsOf.get(route) ?? new Set()
      this.#mountsOf.set(route, known)
      const label = `${among(known, mount(), mostMounts, unknownMount)}${String(route.path)}`
      return among(this.#labels, label, mostRoutes, 'other')
    }
  }
}

/** `value` if it is known or there is room for it, else `rest`. */
function among(known: Set<string>, value: string, most: number, rest: string): string {
  if (!known.has(value) && known.size >= most) return rest
  known.add(value)
  return value
}
