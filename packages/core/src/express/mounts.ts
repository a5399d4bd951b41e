import type { RoutedRequest } from './routed-request.ts'

type Params = Readonly<Record<string, unknown>>

/** Stands for a mount whose pattern cannot be told. */
export const unknownMount = '/*'

/**
 * Follows a request through the routers that it is handed to. Express keeps of a mount like `/tenants/:id`
 * only the URL, in `baseUrl`, and has its params at hand only when it sets that. What is returned tells the
 * pattern of the present `baseUrl`: `/tenants/:id`, or `/*` for a mount whose params are not whole segments.
 */
export function followMounts(request: RoutedRequest): () => string {
  const trail = new Trail(request.baseUrl ?? '')
  Object.defineProperty(request, trailOf, { value: trail })
  Object.defineProperty(request, 'baseUrl', followedUrl)
  return () => trail.pattern
}

const trailOf = Symbol('trail')

type FollowedRequest = RoutedRequest & { readonly [trailOf]: Trail }

/** One accessor for all requests: one for each would give each a shape of its own, which Node runs slowly. */
const followedUrl = {
  configurable: true,
  enumerable: true,
  get(this: FollowedRequest): string {
    return this[trailOf].url
  },
  set(this: FollowedRequest, url: string | undefined) {
    // Express leaves it as it found it, which was undefined.
    this[trailOf].moveTo(url ?? '', this.params)
  },
}

class Trail {
  url: string
  // Of a router that had the request before us, only the URL is left: its pattern is unknown.
  readonly #patterns = new Map([['', '']])

  constructor(url: string) {
    this.url = url
  }

  get pattern(): string {
    return this.#patterns.get(this.url) ?? unknownMount
  }

  moveTo(url: string, params: Params | undefined): void {
    if (url.length > this.url.length) {
      this.#patterns.set(url, this.pattern + patternOf(url.slice(this.url.length), url, params))
    }
    this.url = url
  }
}

/** The pattern of `mount`, the end of `url`; `params` are its own and, with `mergeParams`, those before it. */
function patternOf(mount: string, url: string, params: Params = {}): string {
  const names = new Map<unknown, string>()
  for (const [name, value] of Object.entries(params)) {
    // `app.param` may have made a number of it; anything else is not found below, whatever it is.
    if (value !== undefined) names.set(typeof value === 'number' ? String(value) : value, name)
  }
  const segments = new Set<unknown>(url.split('/').map(decoded))
  // A value that is not a whole segment, as of `/t-:id` or `/*rest`, hides in one that looks fixed.
  if ([...names.keys()].some((value) => !segments.has(value))) return unknownMount
  return mount.replace(/[^/]+/g, (segment) => {
    const name = names.get(decoded(segment))
    // Express takes `/API` for `/api`.
    return name === undefined ? segment.toLowerCase() : `:${name}`
  })
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
